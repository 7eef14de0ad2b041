// Variables: tensors whose contents change in place, and the leaves that gradients are taken of.

import { DTypeError, ShapeError, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { isFloat } from './dtype.js'
import { GraphNode } from './graph.js'
import { unscoped } from './scope.js'
import { sameShape, showShape } from './shape.js'
import { adopt, checkTensor, empty, Life, Tensor } from './tensor.js'

export interface VariableOptions {
  /** Shown in errors and summaries. */
  name?: string
  /** Whether gradients are recorded for it. Default true for floats. */
  trainable?: boolean
}

/** A tensor whose contents change in place. No scope frees it: call `dispose`, or leave it to the garbage collector. */
export class Variable extends Tensor {
  readonly name: string

  /** @internal */
  constructor(initial: Tensor, name: string, trainable: boolean) {
    const contents = unscoped(() => empty(initial.shape, initial.dtype))
    native.copy(initial.handle, contents.handle)
    const storage = contents.life.storage!.retain()
    contents.dispose()
    super(initial.shape, initial.dtype, new Life(storage, undefined))
    this.name = name
    this.trainable = trainable
  }

  /** Whether gradients are recorded for it. */
  get trainable(): boolean {
    return this.life.node !== undefined
  }

  set trainable(value: boolean) {
    if (value === this.trainable) return
    if (value && !isFloat(this.dtype)) {
      throw new DTypeError(`variable: only float32 and float64 can be trained. "${this.name}" has dtype ${this.dtype}`)
    }
    const before = this.life.node
    this.life.node = value ? new GraphNode('variable', this.shape, [], [], undefined) : undefined
    if (this.life.node !== undefined) this.life.node.variable = new WeakRef(this)
    before?.release()
  }

  /** Replaces the contents with a copy of `value`, which must have the same shape and dtype. */
  assign(value: Tensor): void {
    checkTensor('assign', 'value', value)
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
      throw new ShapeError(
        `assign: "${this.name}" holds ${this.dtype} ${showShape(this.shape)}. got ${value.dtype} ${showShape(value.shape)}`,
      )
    }
    if (value.life.storage === this.life.storage) return
    native.copy(value.handle, this.handle)
    this.touch()
  }

  /** @internal Says that the contents have changed: every native in-place update calls it. */
  touch(): void {
    this.life.storage!.touch()
  }

  override toString(): string {
    return `Variable "${this.name}" ${showShape(this.shape)} ${this.dtype}`
  }
}

let unnamed = 0

/**
 * A variable that starts as a copy of `initial`.
 *
 * @example
 * ```ts
 * import { backward, square, sum, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1, 2]))
 * const gradients = backward(sum(square(w)))
 * console.log(await gradients.get(w).array()) // [ 2, 4 ]
 * ```
 */
export function variable(initial: Tensor, options: VariableOptions = {}): Variable {
  checkTensor('variable', 'initial', initial)
  const { name = `variable_${++unnamed}`, trainable = isFloat(initial.dtype) } = options
  if (typeof name !== 'string') throw typeError('variable: name must be a string')
  if (typeof trainable !== 'boolean') throw typeError('variable: trainable must be a boolean')
  return unscoped(() => adopt(new Variable(initial, name, trainable)))
}
