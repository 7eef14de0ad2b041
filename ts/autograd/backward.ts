// From a loss back to the variables (reverse-mode differentiation, Linnainmaa 1970).

import { GradientError, ShapeError, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { ones } from '../tensor/create.js'
import type { GraphNode } from '../tensor/graph.js'
import { scope, unscoped } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { adopt, alias, checkTensor, empty, share, type Tensor } from '../tensor/tensor.js'
import { Variable } from '../tensor/variable.js'
import { withRecording } from './record.js'

/** The gradients of a loss, one for each variable it depends on. */
export class Gradients {
  /** @internal */
  constructor(private readonly byLeaf: ReadonlyMap<GraphNode, Tensor>) {}

  /** The gradient of `variable`, of its shape. Throws a {@link GradientError} when the loss does not depend on it. */
  get(variable: Tensor): Tensor {
    checkTensor('gradients.get', 'variable', variable)
    const gradient = variable.life.node && this.byLeaf.get(variable.life.node)
    if (gradient === undefined) {
      const what = variable instanceof Variable ? `variable "${variable.name}"` : 'this tensor'
      const why =
        variable instanceof Variable && !variable.trainable
          ? 'it is not trainable'
          : 'the loss does not depend on it, or it is no variable'
      throw new GradientError(
        `gradients.get: there is no gradient of ${what}, shape ${showShape(variable.shape)}: ${why}`,
      )
    }
    return gradient
  }

  /** Whether the loss depends on `variable`. */
  has(variable: Tensor): boolean {
    return variable.life.node !== undefined && this.byLeaf.has(variable.life.node)
  }

  /** @internal The variables that have a gradient, oldest first, each with it. */
  *entries(): Iterable<[Variable, Tensor]> {
    const leaves = [...this.byLeaf].sort(([a], [b]) => a.id - b.id)
    for (const [leaf, gradient] of leaves) {
      const variable = leaf.variable?.deref()
      if (variable !== undefined && !variable.disposed) yield [variable, gradient]
    }
  }

  /** Frees the gradients. */
  dispose(): void {
    for (const gradient of this.byLeaf.values()) gradient.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal */
  ownedTensors(): Iterable<Tensor> {
    return this.byLeaf.values()
  }
}

/**
 * The gradients of `loss`, a tensor with one element, with respect to every trainable variable that it depends on.
 * Frees what the forward pass saved, so it works once for each forward pass.
 *
 * Throws a {@link GradientError} when nothing was recorded, and a {@link ShapeError} when the loss has not exactly
 * one element.
 *
 * @example
 * ```ts
 * import { backward, mul, tensor, variable } from 'ferrograd'
 * const a = variable(tensor([3]))
 * const b = variable(tensor([4]))
 * const gradients = backward(mul(a, b))
 * console.log(await gradients.get(a).item(), await gradients.get(b).item()) // 4 3
 * ```
 */
export function backward(loss: Tensor): Gradients {
  checkTensor('backward', 'loss', loss)
  if (loss.size !== 1) {
    throw new ShapeError(
      `backward: the loss must have one element. got shape ${showShape(loss.shape)}. reduce it with mean(loss) or sum(loss)`,
    )
  }
  if (loss.life.node === undefined) {
    throw new GradientError(
      'backward: the loss depends on no trainable variable, or was computed inside noGrad. make the parameters with variable(…)',
    )
  }
  const root = loss.life.node
  return gradientsFrom(
    root,
    unscoped(() => ones(loss.shape, { dtype: loss.dtype })),
  )
}

/** @internal What arrives at the leaves when `seed`, which it takes over, is the gradient of `root`. */
export function gradientsFrom(root: GraphNode, seed: Tensor): Gradients {
  const byLeaf = flow(root, seed)
  for (const gradient of byLeaf.values()) adopt(gradient)
  return new Gradients(byLeaf)
}

/**
 * @internal Carries the gradient `seed` of `root` back to the leaves, latest op first. The returned tensors, like all
 * that is made on the way, belong to no scope.
 */
export function flow(root: GraphNode, seed: Tensor): Map<GraphNode, Tensor> {
  return unscoped(() =>
    withRecording(false, () => {
      const gradients = new Map<GraphNode, Tensor>([[root, seed]])
      const leaves = new Map<GraphNode, Tensor>()
      try {
        carry(root, gradients, leaves)
      } catch (error) {
        for (const gradient of [...gradients.values(), ...leaves.values()]) gradient.dispose()
        throw error
      }
      return leaves
    }),
  )
}

function carry(root: GraphNode, gradients: Map<GraphNode, Tensor>, leaves: Map<GraphNode, Tensor>): void {
  for (const node of latestFirst(root)) {
    const dy = gradients.get(node)
    gradients.delete(node)
    if (dy === undefined) continue
    if (node.rule === undefined) {
      leaves.set(node, dy)
      continue
    }
    const wanted = node.parents.map((parent) => parent !== undefined)
    // The scope frees what the rule makes on its way; dy, made outside, stays for now.
    const results = scope(() => node.rule!(dy, node.takeSaved(), wanted))
    node.parents.forEach((parent, i) => {
      if (parent !== undefined && results[i] !== undefined) add(gradients, parent, results[i], node.op)
    })
    dy.dispose()
    for (const result of results) result?.dispose()
    node.free()
  }
}

/** Adds `gradient` to what has already arrived at `node`, in place where nobody else holds that memory. */
function add(gradients: Map<GraphNode, Tensor>, node: GraphNode, gradient: Tensor, op: string): void {
  if (!sameShape(gradient.shape, node.shape)) {
    throw new GradientError(
      `backward: ${op} made a gradient of shape ${showShape(gradient.shape)} for an input of shape ${showShape(node.shape)}; this is a bug in ${op}`,
    )
  }
  const before = gradients.get(node)
  if (before === undefined) {
    gradients.set(node, alias(gradient))
  } else if (before.life.storage!.references === 1) {
    native.accumulate(gradient.handle, before.handle)
    before.life.storage!.rectified &&= gradient.life.storage!.rectified
  } else {
    const sum = empty(before.shape, before.dtype)
    native.copy(before.handle, sum.handle)
    native.accumulate(gradient.handle, sum.handle)
    before.dispose()
    gradients.set(node, sum)
  }
}

/** Every node that `root` depends on, latest first, which is an order in which gradients are complete. */
function latestFirst(root: GraphNode): GraphNode[] {
  const seen = new Set([root])
  // A set visits what is added on the way: no recursion, however deep the graph.
  for (const node of seen) for (const parent of node.parents) if (parent !== undefined) seen.add(parent)
  return [...seen].sort((a, b) => b.id - a.id)
}

/** @internal Shares `dy` under another shape: the gradient of ops that move nothing. */
export function reshaped(dy: Tensor, shape: readonly number[]): Tensor {
  return share(dy, shape)
}

/** @internal Checks what `gradients` and `gradCheck` are given. */
export function checkFunction(op: string, fn: unknown): void {
  if (typeof fn !== 'function') throw typeError(`${op}: the first argument must be a function that returns a Tensor`)
}
