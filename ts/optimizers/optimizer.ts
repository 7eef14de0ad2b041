// What all optimizers share: the learning rate, clipping, state for each variable, and one native call a step.

import { Gradients } from '../autograd/backward.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { configOfRate, isSchedule, type Schedule, type ScheduleConfig } from '../schedules/schedule.js'
import { full } from '../tensor/create.js'
import type { DType } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'

export interface OptimizerOptions {
  /** A number above 0, or a schedule. */
  learningRate?: number | Schedule | undefined
  /** Shortens each variable's gradient to this Euclidean norm if it is longer. */
  clipNorm?: number | undefined
  /** Keeps every element of the gradients within ± this. */
  clipValue?: number | undefined
  /** Shortens all gradients together to this Euclidean norm if they are longer. */
  globalClipNorm?: number | undefined
}

/** What an optimizer remembers. The tensors are copies as of now: later steps do not change them. */
export interface OptimizerState {
  /** Steps done. */
  iterations: number
  /** For each variable, in the order in which the optimizer met them, what it keeps, by name. */
  variables: { name: string; slots: Record<string, Tensor> }[]
}

/** An optimizer as plain data, as JSON can hold it: its `kind` and its options, complete. */
export type OptimizerConfig = { readonly kind: string; readonly learningRate: number | ScheduleConfig } & {
  readonly [option: string]: unknown
}

const clipNames = ['clipValue', 'clipNorm', 'globalClipNorm'] as const

/** Moves variables against their gradients. Made by `optimizers.*`. */
export abstract class Optimizer {
  /** Its name, as `compile` takes it. */
  abstract readonly kind: string
  /** Steps done. */
  iterations = 0
  private rate: number | Schedule
  private readonly clip: { readonly kind: number; readonly bound: number }
  private readonly slots = new Map<Variable, readonly Tensor[]>()
  private loaded: OptimizerState['variables'] = []

  /** @internal `slotNames` are the names of what is kept for each variable, with the value that it starts from. */
  protected constructor(
    op: string,
    options: OptimizerOptions,
    names: readonly string[],
    defaultRate: number,
    private readonly slotNames: Readonly<Record<string, number>>,
  ) {
    checkOptions(op, options, ['learningRate', ...clipNames, ...names])
    this.rate = checkRate(op, options.learningRate ?? defaultRate)
    const given = clipNames.filter((name) => options[name] !== undefined)
    if (given.length > 1) {
      throw typeError(`${op}: ${given.join(' and ')} exclude each other. give one of them`)
    }
    const name = given[0]
    this.clip =
      name === undefined
        ? { kind: 0, bound: 0 }
        : { kind: clipNames.indexOf(name) + 1, bound: checkNumber(op, name, options[name], 0, true) }
  }

  /** The learning rate of the next step. Set it to a number or to a schedule. */
  get learningRate(): number {
    return typeof this.rate === 'number' ? this.rate : checkScheduled(this.kind, this.rate, this.iterations)
  }

  set learningRate(rate: number | Schedule) {
    this.rate = checkRate(this.kind, rate)
  }

  /** Moves every variable that has a gradient, all in one native call, and frees nothing: the scope does. */
  step(gradients: Gradients): void {
    if (!(gradients instanceof Gradients)) {
      throw typeError(`${this.kind}: step expects what backward(loss) returns. got ${show(gradients)}`)
    }
    const rate = this.learningRate
    const byDType = new Map<DType, [Variable, Tensor][]>()
    for (const entry of gradients.entries()) {
      const group = byDType.get(entry[0].dtype)
      if (group === undefined) byDType.set(entry[0].dtype, [entry])
      else group.push(entry)
    }
    if (byDType.size > 1 && this.clip.kind === 3) {
      throw typeError(
        `${this.kind}: globalClipNorm needs all variables to have one dtype. got ${[...byDType.keys()].join(' and ')}`,
      )
    }
    this.iterations++
    for (const entries of byDType.values()) {
      this.launch(this.buffers(entries), rate, this.iterations)
      for (const [variable] of entries) variable.touch()
    }
  }

  /** @internal Queues one step: `rate` is the learning rate, `t` the number of the step, from 1. */
  protected abstract launch(buffers: StepBuffers, rate: number, t: number): void

  /** @internal The options that it has beside those of every optimizer. */
  protected abstract settings(): Readonly<Record<string, number | boolean>>

  /**
   * Its kind and all options, those with defaults too, as plain data: what a file keeps beside `state()`. Throws a
   * `TypeError` when the learning rate is a schedule of your own.
   */
  config(): OptimizerConfig {
    const { learningRate, ...options } = this.options()
    return { kind: this.kind, learningRate: configOfRate(this.kind, learningRate), ...options }
  }

  /** @internal All options as they were given to it or are set now. */
  options(): { learningRate: number | Schedule } & Record<string, unknown> {
    const { kind, bound } = this.clip
    return { learningRate: this.rate, ...(kind > 0 && { [clipNames[kind - 1]!]: bound }), ...this.settings() }
  }

  private buffers(entries: readonly [Variable, Tensor][]): StepBuffers {
    const count = entries.length
    const names = Object.keys(this.slotNames)
    const weights = new Float64Array(count)
    const handles = new Float64Array(count)
    const states = new Float64Array(count * names.length)
    entries.forEach(([variable, gradient], i) => {
      weights[i] = variable.handle
      handles[i] = gradient.handle
      const slots = this.slotsOf(variable)
      for (let which = 0; which < slots.length; which++) states[which * count + i] = slots[which]!.handle
    })
    return { weights, gradients: handles, states, clip: this.clip.kind, bound: this.clip.bound }
  }

  private slotsOf(variable: Variable): readonly Tensor[] {
    const known = this.slots.get(variable)
    if (known !== undefined) return known
    const loaded = this.loaded[this.slots.size]?.slots
    const made = Object.entries(this.slotNames).map(([name, value]) => {
      const from = loaded?.[name]
      if (from === undefined) return unscoped(() => full(variable.shape, value, { dtype: variable.dtype }))
      if (!sameShape(from.shape, variable.shape) || from.dtype !== variable.dtype) {
        throw new ShapeError(
          `${this.kind}: the loaded ${name} is ${from.dtype} ${showShape(from.shape)}, but variable "${variable.name}" is ${variable.dtype} ${showShape(variable.shape)}. load the state of an optimizer that trained the same model`,
        )
      }
      return unscoped(() => copyOf(from))
    })
    this.slots.set(variable, made)
    return made
  }

  /** What the optimizer remembers, for `load`. */
  state(): OptimizerState {
    const names = Object.keys(this.slotNames)
    const variables = [...this.slots].map(([variable, slots]) => ({
      name: variable.name,
      slots: Object.fromEntries(names.map((name, i) => [name, copyOf(slots[i]!)])),
    }))
    return { iterations: this.iterations, variables }
  }

  /**
   * Goes on from a state that `state` returned. Variables are matched in the order in which the optimizer meets them,
   * which is that of their making.
   */
  load(state: OptimizerState): void {
    const valid =
      typeof state === 'object' &&
      state !== null &&
      Number.isInteger(state.iterations) &&
      Array.isArray(state.variables)
    if (!valid || state.iterations < 0) {
      throw typeError(`${this.kind}: load expects what state() returned. got ${show(state)}`)
    }
    const names = Object.keys(this.slotNames)
    for (const { name, slots } of state.variables) {
      for (const slot of names) {
        if (!(slots?.[slot] instanceof Tensor)) {
          throw typeError(
            `${this.kind}: the state has no ${slot} for variable "${name}". it is the state of another kind of optimizer`,
          )
        }
        checkTensor(this.kind, slot, slots[slot])
      }
    }
    this.dispose()
    this.iterations = state.iterations
    this.loaded = state.variables.map(({ name, slots }) => ({
      name,
      slots: Object.fromEntries(names.map((slot) => [slot, unscoped(() => copyOf(slots[slot]!))])),
    }))
  }

  /**
   * @internal What it keeps for those of `variables` that it has met, itself and no copies. A loaded state is matched with
   * them first.
   */
  $slotsOf(variables: readonly Variable[]): Map<Variable, Readonly<Record<string, Tensor>>> {
    const names = Object.keys(this.slotNames)
    for (const variable of variables) if (this.slots.size < this.loaded.length) this.slotsOf(variable)
    const known = variables.filter((variable) => this.slots.has(variable))
    return new Map(
      known.map((variable) => {
        const slots = this.slots.get(variable)!
        return [variable, Object.fromEntries(names.map((name, i) => [name, slots[i]!]))]
      }),
    )
  }

  /** @internal Begins with `slots`, which it takes over; what it keeps for a variable has the shape of the variable. */
  $begin(iterations: number, slots: ReadonlyMap<Variable, Readonly<Record<string, Tensor>>>): void {
    this.dispose()
    this.iterations = iterations
    for (const [variable, named] of slots) {
      this.slots.set(
        variable,
        Object.keys(this.slotNames).map((name) => named[name]!),
      )
    }
  }

  /** @internal The names of what it keeps for each variable. */
  get $slotNames(): readonly string[] {
    return Object.keys(this.slotNames)
  }

  /** Frees what is kept for each variable. */
  dispose(): void {
    for (const slots of this.slots.values()) for (const slot of slots) slot.dispose()
    for (const { slots } of this.loaded) for (const slot of Object.values(slots)) slot.dispose()
    this.slots.clear()
    this.loaded = []
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function copyOf(x: Tensor): Tensor {
  const copy = empty(x.shape, x.dtype)
  native.copy(x.handle, copy.handle)
  return copy
}

function checkRate(op: string, rate: unknown): number | Schedule {
  if (isSchedule(rate)) return rate
  if (typeof rate !== 'number') {
    throw typeError(`${op}: learningRate must be a number from 0 or a schedule. got ${show(rate)}`)
  }
  if (!(rate >= 0 && rate < Infinity))
    throw rangeError(`${op}: learningRate must be a number from 0. got ${show(rate)}`)
  return rate
}

function checkScheduled(op: string, schedule: Schedule, step: number): number {
  const rate: unknown = schedule.at(step)
  if (typeof rate !== 'number' || !(rate >= 0 && rate < Infinity)) {
    throw rangeError(`${op}: the schedule gave ${show(rate)} at step ${step}; a learning rate is a number from 0`)
  }
  return rate
}
