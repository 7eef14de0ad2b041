// Gradients with respect to any tensors, variables or not.

import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { zeros } from '../tensor/create.js'
import { isFloat } from '../tensor/dtype.js'
import { GraphNode } from '../tensor/graph.js'
import { unscoped } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { alias, checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { Variable } from '../tensor/variable.js'
import { backward, checkFunction, type Gradients, gradientsFrom } from './backward.js'
import { withRecording } from './record.js'

export interface GradientsOptions {
  /**
   * The gradient that arrives at the result of the function, ∂L/∂y, of its shape and dtype. The result may then have any
   * shape. Without it the result must have one element, whose gradient is 1.
   */
  upstream?: Tensor | undefined
}

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
 * The gradients of `fn()` with respect to `variables`: any float tensors that `fn` uses. A tensor that the result does
 * not depend on has gradient zero.
 *
 * `fn()` must have one element, unless `upstream` says what gradient arrives at it: then the results are the
 * vector-Jacobian products Σᵢ upstreamᵢ · ∂yᵢ/∂x, which are the gradients of sum(mul(y, upstream)) without computing that.
 *
 * Throws a {@link ShapeError} when `upstream` has another shape than the result, or when there is none and the result has
 * not exactly one element, and a {@link DTypeError} when dtypes differ or have no gradient.
 *
 * @example
 * ```ts
 * import { gradients, mul, tensor } from 'ferrograd'
 * const x = tensor([3])
 * const [dx] = gradients(() => mul(x, x), [x])
 * console.log(await dx.item()) // 6
 * const xs = tensor([1, 2])
 * const [dxs] = gradients(() => mul(xs, xs), [xs], { upstream: tensor([10, 100]) })
 * console.log(await dxs.array()) // [ 20, 400 ]
 * ```
 */
export function gradients<const V extends readonly Tensor[]>(
  fn: () => Tensor,
  variables: V,
  options: GradientsOptions = {},
): { -readonly [K in keyof V]: Tensor } {
  checkFunction('gradients', fn)
  if (!Array.isArray(variables)) throw typeError('gradients: the second argument must be an array of tensors')
  variables.forEach((x, i) => {
    checkTensor('gradients', `variables[${i}]`, x)
    if (!isFloat(x.dtype))
      throw new DTypeError(`gradients: variables[${i}] has dtype ${x.dtype}, which has no gradient`)
  })
  const upstream = checkOptions(options)
  const unique = [...new Set(variables)]
  return withLeaves(unique, () => {
    const y = fn()
    checkTensor('gradients', 'the result of the function', y)
    const result = upstream === undefined ? y.life.node && backward(y) : carriedBack(y, upstream)
    return variables.map((x) => (result?.has(x) ? result.get(x) : zeros(x.shape, { dtype: x.dtype }))) as {
      -readonly [K in keyof V]: Tensor
    }
  })
}

function checkOptions(options: GradientsOptions): Tensor | undefined {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`gradients: options must be an object. got ${show(options)}`)
  }
  for (const [key, value] of Object.entries(options)) {
    if (key !== 'upstream') {
      throw typeError(`gradients: there is no option ${key} (got ${show(value)}). valid is upstream`)
    }
  }
  if (options.upstream !== undefined) checkTensor('gradients', 'upstream', options.upstream)
  return options.upstream
}

function carriedBack(y: Tensor, upstream: Tensor): Gradients | undefined {
  if (!sameShape(upstream.shape, y.shape)) {
    throw new ShapeError(
      `gradients: upstream has another shape than the result of the function. upstream ${showShape(upstream.shape)}, result ${showShape(y.shape)}`,
    )
  }
  if (upstream.dtype !== y.dtype) {
    throw new DTypeError(
      `gradients: upstream has dtype ${upstream.dtype}, but the result of the function has ${y.dtype}. cast one: cast(upstream, { dtype: '${y.dtype}' })`,
    )
  }
  if (y.life.node === undefined) return undefined
  return gradientsFrom(y.life.node, upstream instanceof Variable ? copyOf(upstream) : alias(upstream))
}

/** What is given on may become a gradient itself, which must not change when the variable does. */
function copyOf(x: Variable): Tensor {
  const copy = unscoped(() => empty(x.shape, x.dtype))
  native.copy(x.handle, copy.handle)
  return copy
}
