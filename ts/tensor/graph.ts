// The graph that ops leave behind: who made a tensor, from what, and how gradients flow back.

import { GradientError } from '../errors.js'
import type { Tensor } from './tensor.js'
import type { Variable } from './variable.js'

/**
 * @internal Computes the gradients of an op's inputs from that of its output. `saved` are the tensors that the op
 * put aside; `wanted[i]` says whether input i needs a gradient at all. Runs with recording off.
 */
export type GradientRule = (
  dy: Tensor,
  saved: readonly Tensor[],
  wanted: readonly boolean[],
) => readonly (Tensor | undefined)[]

let nodes = 0

/**
 * @internal One recorded op, or a leaf (a variable). Numbers grow with time, so every node has a larger one than
 * what it depends on. A node lives while a tensor or a later node refers to it; then it lets go of what it saved.
 */
export class GraphNode {
  readonly id = nodes++
  private references = 1
  private versions: number[] | undefined
  /** Whether the op ends with a rectifier. */
  rectifies = false
  /** Whose leaf it is. Weak: a graph must not keep a model alive. */
  variable: WeakRef<Variable> | undefined

  constructor(
    readonly op: string,
    readonly shape: readonly number[],
    /** One for each input; undefined where no gradient flows. */
    public parents: readonly (GraphNode | undefined)[],
    private saved: Tensor[] | undefined,
    readonly rule: GradientRule | undefined,
  ) {
    for (const parent of parents) parent?.retain()
    this.versions = saved?.map((tensor) => tensor.life.storage!.version)
  }

  get isLeaf(): boolean {
    return this.rule === undefined
  }

  retain(): void {
    this.references++
  }

  /** Gives up one reference; without any the node, and all that hung on it alone, is freed. Not recursive. */
  release(): void {
    const pending: GraphNode[] = [this]
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (--node.references > 0) continue
      node.free()
      for (const parent of node.parents) if (parent !== undefined) pending.push(parent)
      node.parents = []
    }
  }

  /** What the op saved. Throws when it was freed or has changed since. */
  takeSaved(): readonly Tensor[] {
    if (this.saved === undefined) {
      throw new GradientError(
        `backward: the graph was used up by an earlier backward, which frees what the forward pass saved (at ${this.op}). run the forward pass again`,
      )
    }
    this.saved.forEach((tensor, i) => {
      if (tensor.life.storage!.version !== this.versions![i]) {
        throw new GradientError(
          `backward: a variable that ${this.op} needs for its gradient was changed after the forward pass. call backward before the optimizer's step or assign`,
        )
      }
    })
    return this.saved
  }

  /** Frees what the op saved. */
  free(): void {
    for (const tensor of this.saved ?? []) tensor.life.end()
    this.saved = undefined
  }
}
