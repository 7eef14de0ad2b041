// How the layers of a tf.js graph refer to each other.

import { FormatError, show } from '../errors.js'
import { checkList, checkObject, checkText, checkWhole } from '../models/model-file.js'

/** One output of one call of a layer. */
export interface TfjsRef {
  readonly layer: string
  /** Which call of the layer. */
  readonly node: number
  /** Which of its outputs. */
  readonly output: number
}

/** The inputs or outputs of a model: a list of references, or a single one. */
export function refsOf(op: string, what: string, value: unknown): TfjsRef[] {
  const list = checkList(op, what, value)
  return (typeof list[0] === 'string' ? [list] : list).map((item) => refOf(op, what, item))
}

/** What a layer gets in each of its calls. */
export function callsOf(op: string, layer: string, value: unknown): TfjsRef[][] {
  const what = `the inbound_nodes of layer ${show(layer)}`
  return checkList(op, what, value).map((node) => {
    if (Array.isArray(node)) return node.map((item) => refOf(op, what, item))
    // Keras 3 writes the arguments of the call.
    const { args, kwargs } = checkObject(op, what, node)
    checkArguments(op, what, kwargs)
    return [...tensorsIn(op, what, args, 0)]
  })
}

function refOf(op: string, what: string, value: unknown): TfjsRef {
  const [layer, node, output, kwargs] = checkList(op, what, value)
  checkArguments(op, what, kwargs)
  return {
    layer: checkText(op, what, layer),
    node: checkWhole(op, what, node),
    output: checkWhole(op, what, output),
  }
}

function checkArguments(op: string, what: string, kwargs: unknown): void {
  if (kwargs === undefined || kwargs === null) return
  for (const [key, value] of Object.entries(checkObject(op, what, kwargs))) {
    if (value !== null && value !== false) {
      throw new FormatError(`${op}: ${what} pass ${key} ${show(value)}, and calls have tensors alone here`)
    }
  }
}

function* tensorsIn(op: string, what: string, value: unknown, depth: number): Generator<TfjsRef> {
  if (Array.isArray(value) && depth < 4) {
    for (const item of value) yield* tensorsIn(op, what, item, depth + 1)
    return
  }
  const { class_name, config } = checkObject(op, what, value)
  if (class_name !== '__keras_tensor__') throw new FormatError(`${op}: ${what} pass ${show(class_name)}, and no tensor`)
  yield refOf(op, what, checkObject(op, what, config).keras_history)
}
