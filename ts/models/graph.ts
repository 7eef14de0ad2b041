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
  /** The next step, if it alone reads what this one makes: the two may be one pass. */
  readonly reader: Step | undefined
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
      let joined: Step | undefined
      for (const step of this.steps) {
        if (step === joined) continue
        const { inputs, list, reader } = step
        const before = made.length
        const x = list ? inputs.map((place) => values[place]!) : values[inputs[0]!]!
        const both = reader?.module.$over(step.module, x)
        joined = both && reader
        const y = both ?? step.module.$run(x, training)
        const results = Array.isArray(y) ? y : [y]
        this.keep(joined ?? step, results, values)
        // What the step made on its way belongs to nobody any more: a scope of its own, without the cost of one.
        for (const tensor of made.splice(before)) {
          if (results.includes(tensor)) made.push(tensor)
          else tensor.dispose()
        }
        for (const place of joined === undefined ? step.last : [...step.last, ...joined.last]) {
          const tensor = values[place]
          values[place] = undefined
          // Only what was made here, and only if no other place holds the same tensor. Between joined steps is none.
          if (tensor !== undefined && !values.includes(tensor) && made.includes(tensor)) tensor.dispose()
        }
      }
      return this.results.map((place) => values[place]!)
    })
  }

  /** Puts what a step computed into its places. */
  private keep({ module, outputs }: Step, results: readonly Tensor[], values: (Tensor | undefined)[]): void {
    if (results.length !== outputs.length) {
      throw new ShapeError(
        `${module.$label}: forward returned ${results.length} tensors, but outputShape ${outputs.length} shapes`,
      )
    }
    for (const [i, tensor] of results.entries()) {
      const place = outputs[i]!
      checkDeclared(module, tensor, this.symbols[place]!.shape)
      // A place that is an input of the graph keeps what was put in.
      if (place >= this.inputs.length) values[place] = tensor
    }
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
      const y = module.$infer(x)
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
    `${module.$label}: forward returned shape ${showFree(tensor.shape)}, but outputShape says ${showFree(declared)}. override outputShape(inputShape)`,
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

function withLastUses(steps: readonly Omit<Step, 'last' | 'reader'>[], lasting: ReadonlySet<number>): readonly Step[] {
  const seen = new Set(lasting)
  const done: Step[] = []
  for (const step of steps.toReversed()) {
    const last: number[] = []
    for (const place of [...step.inputs, ...step.outputs]) {
      if (seen.has(place)) continue
      seen.add(place)
      last.push(place)
    }
    const next = done.at(-1)
    done.push({ ...step, last, reader: next !== undefined && readsAlone(next, step) ? next : undefined })
  }
  return done.reverse()
}

/** Whether `next` reads just what `step` makes, and nobody does later. */
function readsAlone(next: Step, { outputs }: Omit<Step, 'last' | 'reader'>): boolean {
  const [between] = outputs
  return outputs.length === 1 && next.inputs.length === 1 && next.inputs[0] === between && next.last.includes(between!)
}
