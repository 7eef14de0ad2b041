// A function of tensors as a gradient check needs it: with one number as its result, and with nothing random in it.

import { GradientError, ShapeError } from '../errors.js'
import { tensor, zeros } from '../tensor/create.js'
import type { GraphNode } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { Random } from '../tensor/seed.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { Variable } from '../tensor/variable.js'
import { flow } from './backward.js'
import { withLeaves } from './gradients.js'
import { noGrad } from './record.js'

/**
 * @internal A float64 function whose output is reduced to one number with weights: those of `upstream`, or random ones
 * between 0.5 and 1.5.
 */
export class ScalarFunction {
  private readonly weights: number[] = []

  constructor(
    private readonly fn: (...inputs: Tensor[]) => Tensor,
    private readonly seed: number,
    private readonly upstream: Tensor | undefined,
  ) {}

  /** The value at `inputs`, the gradients with respect to `unique` and the names of the ops that they come through. */
  async differentiate(
    inputs: readonly Tensor[],
    unique: readonly Tensor[],
  ): Promise<{ value: number; gradients: Float64Array[]; operations: string[] }> {
    const given = await this.upstream?.data()
    const { y, gradients, operations } = scope(() =>
      withLeaves(unique, (leaves) => {
        const y = this.fn(...inputs)
        checkTensor('gradCheck', 'the result of the function', y)
        this.weigh(y, given)
        const operations = operationsOf(y.life.node)
        const seed = tensor(Float64Array.from(this.weights), { shape: y.shape })
        const found = y.life.node && flow(y.life.node, seed)
        const gradients = leaves.map((leaf, i) =>
          (found?.get(leaf) ?? zeros(unique[i]!.shape, { dtype: 'float64' })).data(),
        )
        for (const gradient of found?.values() ?? []) gradient.dispose()
        return { y: y.data(), gradients, operations }
      }),
    )
    const value = this.reduce(await y)
    return { value, gradients: (await Promise.all(gradients)) as Float64Array[], operations }
  }

  /** Throws when the function says something else than before. */
  async checkSame(inputs: readonly Tensor[], value: number): Promise<void> {
    const again = this.reduce(await this.at(inputs))
    if (Object.is(value, again)) return
    throw new GradientError(
      `gradCheck: the function gives another result for the same inputs, so differences say nothing. got ${value}, then ${again}. give dropout and other random ops a fixed seed, or leave them out`,
    )
  }

  /** The central difference where one element of `x`, which holds `start`, is moved by `epsilon` up and down. */
  async slope(
    inputs: readonly Tensor[],
    x: Tensor,
    start: Float64Array,
    element: number,
    epsilon: number,
  ): Promise<number> {
    const at = async (offset: number) => {
      const moved = Float64Array.from(start)
      moved[element]! += offset
      return this.with(inputs, x, tensor(moved, { shape: x.shape }))
    }
    const [above, below] = [await at(epsilon), await at(-epsilon)]
    // Differences before the sum: what does not depend on the element cancels exactly.
    return this.reduce(above.map((value, i) => value - below[i]!)) / (2 * epsilon)
  }

  /** The output with `other`, which is freed, in place of `x`. */
  private async with(inputs: readonly Tensor[], x: Tensor, other: Tensor): Promise<Float64Array> {
    try {
      if (!(x instanceof Variable)) return await this.at(inputs.map((input) => (input === x ? other : input)))
      x.assign(other)
      return await this.at(inputs)
    } finally {
      other.dispose()
    }
  }

  private async at(inputs: readonly Tensor[]): Promise<Float64Array> {
    // Freed by the scope if it was made in there: the function may return a tensor of the user's.
    const { reading } = scope(() => {
      const y = noGrad(() => this.fn(...inputs))
      checkTensor('gradCheck', 'the result of the function', y)
      return { reading: y.data() }
    })
    return (await reading) as Float64Array
  }

  private weigh(y: Tensor, given: ArrayLike<number> | undefined): void {
    if (this.upstream !== undefined && !sameShape(this.upstream.shape, y.shape)) {
      throw new ShapeError(
        `gradCheck: upstream has another shape than the result of the function. upstream ${showShape(this.upstream.shape)}, result ${showShape(y.shape)}`,
      )
    }
    const random = new Random(this.seed)
    for (let i = 0; i < y.size; i++) this.weights.push(given?.[i] ?? 0.5 + random.next())
  }

  private reduce(values: ArrayLike<number>): number {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[i]! * this.weights[i]!
    return sum
  }
}

/** The names of the ops that lead to `root`, the first ones first. */
function operationsOf(root: GraphNode | undefined): string[] {
  const nodes = new Set(root === undefined ? [] : [root])
  // A set visits what is added on the way: no recursion, however deep the graph.
  for (const node of nodes) for (const parent of node.parents) if (parent !== undefined) nodes.add(parent)
  const ops = [...nodes].filter((node) => !node.isLeaf).sort((a, b) => a.id - b.id)
  return [...new Set(ops.map(({ op }) => op))]
}
