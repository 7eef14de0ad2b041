// A network as the calls that lead from its inputs to its outputs.

import { ShapeError, show, typeError } from '../errors.js'
import type { Module, Output } from '../layers/module.js'
import { fitsShape, isShape, type Shape, showFree } from '../layers/shape.js'
import { type Call, SymbolicTensor } from '../layers/symbolic.js'
import { currentScope, scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'

/** One call, with its tensors as places in a list. */
export interface Step {
  readonly module: Module<Output>
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Whether the module takes an array. */
  readonly list: boolean
  /** Places that no later step reads. */
  readonly last: readonly number[]
}

/** The order in which to call the layers, and what to pass to each. */
export class Graph {
  readonly steps: readonly Step[]
  /** The layers, each once, in the order of their first call. */
  readonly modules: readonly Module<Output>[]
  /** What flows through each place. */
  readonly symbols: readonly SymbolicTensor[]
  /** The places of the outputs. */
  readonly results: readonly number[]

  constructor(
    label: string,
    readonly inputs: readonly SymbolicTensor[],
    readonly outputs: readonly SymbolicTensor[],
  ) {
    const calls = collect(label, inputs, outputs)
    const symbols = [...inputs]
    const places = new Map(inputs.map((tensor, place) => [tensor, place]))
    for (const call of calls) {
      for (const tensor of call.outputs) {
        // An output of this call may also be an input of the graph, which then stands.
        if (!places.has(tensor)) places.set(tensor, symbols.push(tensor) - 1)
      }
    }
    this.symbols = symbols
    this.results = outputs.map((tensor) => places.get(tensor)!)
    this.modules = [...new Set(calls.map(({ module }) => module))]
    const at = (tensors: readonly SymbolicTensor[]) => tensors.map((tensor) => places.get(tensor)!)
    this.steps = withLastUses(
      calls.map(({ module, inputs, outputs, list }) => ({ module, inputs: at(inputs), outputs: at(outputs), list })),
      new Set([...inputs.keys(), ...this.results]),
    )
  }

  /**
   * Runs every step on `inputs`, whose shapes have been checked. What lies between inputs and outputs is freed as
   * soon as nothing needs it.
   */
  run(inputs: readonly Tensor[], training: boolean): Tensor[] {
    return scope(() => {
      const made = currentScope()!
      const values: (Tensor | undefined)[] = [...inputs]
      for (const { module, inputs, outputs, list, last } of this.steps) {
        const x = list ? inputs.map((place) => values[place]!) : values[inputs[0]!]!
        const y = scope(() => module.run(x, training))
        const produced = Array.isArray(y) ? y : [y]
        if (produced.length !== outputs.length) {
          throw new ShapeError(
            `${module.label}: forward returned ${produced.length} tensors, but outputShape ${outputs.length} shapes`,
          )
        }
        produced.forEach((tensor, i) => {
          checkDeclared(module, tensor, this.symbols[outputs[i]!]!.shape)
          // A place that is an input of the graph keeps what was put in.
          if (outputs[i]! >= this.inputs.length) values[outputs[i]!] = tensor
        })
        for (const place of last) {
          const tensor = values[place]!
          values[place] = undefined
          // Only what was made here, and only if no other place holds the same tensor.
          if (!values.includes(tensor) && made.includes(tensor)) tensor.dispose()
        }
      }
      return this.results.map((place) => values[place]!)
    })
  }

  /** The shapes of the outputs for inputs of these shapes. */
  infer(shapes: readonly Shape[]): readonly Shape[] {
    const inferred = this.inferAll(shapes)
    return this.results.map((place) => inferred[place]!)
  }

  /** The shape at every place. */
  inferAll(shapes: readonly Shape[]): readonly Shape[] {
    const at: Shape[] = [...shapes]
    for (const { module, inputs, outputs, list } of this.steps) {
      const x = list ? inputs.map((place) => at[place]!) : at[inputs[0]!]!
      const y = module.infer(x)
      const several = isShape(y) ? [y] : y
      several.forEach((shape, i) => {
        at[outputs[i]!] ??= shape
      })
    }
    return at
  }
}

function checkDeclared(module: Module<Output>, tensor: Tensor, declared: Shape): void {
  if (fitsShape(tensor.shape, declared)) return
  throw new ShapeError(
    `${module.label}: forward returned shape ${showFree(tensor.shape)}, but outputShape says ${showFree(declared)}. override outputShape(inputShape)`,
  )
}

/** The calls that `outputs` depend on, in an order in which they can be made. */
function collect(
  label: string,
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): readonly Call[] {
  for (const [name, tensors] of Object.entries({ inputs, outputs })) {
    if (tensors.length === 0) throw typeError(`${label}: ${name} must not be empty`)
    tensors.forEach((tensor, i) => {
      if (!(tensor instanceof SymbolicTensor)) {
        throw typeError(
          `${label}: ${name} must be symbolic tensors, from input({ shape }) and layer.apply(x). ${name}[${i}] is ${show(tensor)}`,
        )
      }
    })
  }
  const entrances = new Set(inputs)
  if (entrances.size !== inputs.length) throw typeError(`${label}: the same tensor is among the inputs twice`)
  const calls = new Set<Call>()
  const used = new Set<SymbolicTensor>()
  const pending = [...outputs]
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (entrances.has(tensor)) {
      used.add(tensor)
    } else if (tensor.call === undefined) {
      throw typeError(
        `${label}: the outputs depend on ${described(tensor)}, which is not among the inputs. add it to inputs`,
      )
    } else if (!calls.has(tensor.call)) {
      calls.add(tensor.call)
      pending.push(...tensor.call.inputs)
    }
  }
  const idle = inputs.find((tensor) => !used.has(tensor))
  if (idle !== undefined) {
    throw typeError(`${label}: no output depends on ${described(idle)}. leave it out of inputs`)
  }
  return [...calls].sort((a, b) => a.id - b.id)
}

function described(tensor: SymbolicTensor): string {
  return `the input ${tensor.name === undefined ? '' : `"${tensor.name}" `}of shape ${showFree(tensor.shape)}`
}

function withLastUses(steps: readonly Omit<Step, 'last'>[], lasting: ReadonlySet<number>): readonly Step[] {
  const seen = new Set(lasting)
  return steps
    .toReversed()
    .map((step) => {
      const last: number[] = []
      for (const place of [...step.inputs, ...step.outputs]) {
        if (seen.has(place)) continue
        seen.add(place)
        last.push(place)
      }
      return { ...step, last }
    })
    .reverse()
}
