// Gradients with respect to any tensors, variables or not.

import { DTypeError, typeError } from '../errors.js'
import { zeros } from '../tensor/create.js'
import { isFloat } from '../tensor/dtype.js'
import { GraphNode } from '../tensor/graph.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { backward, checkFunction } from './backward.js'
import { withRecording } from './record.js'

/** @internal Runs `fn` with each of `xs` a leaf of the graph, whatever it was before, and hands it the leaves. */
export function withLeaves<T>(xs: readonly Tensor[], fn: (leaves: readonly GraphNode[]) => T): T {
  const before = xs.map((x) => x.life.node)
  const leaves = xs.map((x) => new GraphNode('input', x.shape, [], [], undefined))
  xs.forEach((x, i) => {
    x.life.node = leaves[i]
  })
  try {
    return withRecording(true, () => fn(leaves))
  } finally {
    xs.forEach((x, i) => {
      x.life.node = before[i]
    })
    for (const leaf of leaves) leaf.release()
  }
}

/**
 * The gradients of `fn()`, which must have one element, with respect to `variables`: any float tensors that `fn`
 * uses. A tensor that the result does not depend on has gradient zero.
 *
 * @example
 * ```ts
 * import { gradients, mul, tensor } from 'ferrograd'
 * const x = tensor([3])
 * const [dx] = gradients(() => mul(x, x), [x])
 * console.log(await dx.item()) // 6
 * ```
 */
export function gradients<const V extends readonly Tensor[]>(
  fn: () => Tensor,
  variables: V,
): { -readonly [K in keyof V]: Tensor } {
  checkFunction('gradients', fn)
  if (!Array.isArray(variables)) throw typeError('gradients: the second argument must be an array of tensors')
  variables.forEach((x, i) => {
    checkTensor('gradients', `variables[${i}]`, x)
    if (!isFloat(x.dtype))
      throw new DTypeError(`gradients: variables[${i}] has dtype ${x.dtype}, which has no gradient`)
  })
  const unique = [...new Set(variables)]
  return withLeaves(unique, () => {
    const y = fn()
    checkTensor('gradients', 'the result of the function', y)
    const result = y.life.node && backward(y)
    return variables.map((x) => (result?.has(x) ? result.get(x) : zeros(x.shape, { dtype: x.dtype }))) as {
      -readonly [K in keyof V]: Tensor
    }
  })
}
