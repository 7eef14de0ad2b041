// NumPy's broadcasting: two shapes become one, and gradients find their way back.

import { record, recording } from '../autograd/record.js'
import { DTypeError, ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkShape, sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

type Forward = (a: number, b: number, y: number, words?: Float64Array) => void
type Backward = (ofB: boolean, dy: number, a: number, b: number, d: number, words?: Float64Array) => void

/**
 * @internal y = op(a, b) of two floats that broadcast. Without `backward` the gradient of each operand is that of y
 * (times `signOfB` for b), without anything saved.
 */
export function binary(
  op: string,
  a: Tensor,
  b: Tensor,
  forward: Forward,
  backward: Backward | undefined,
  negateB = false,
): Tensor {
  checkTensor(op, 'a', a)
  checkTensor(op, 'b', b)
  checkFloat(op, 'a', a.dtype)
  if (a.dtype !== b.dtype) {
    checkFloat(op, 'b', b.dtype)
    throw new DTypeError(
      `${op}: a has dtype ${a.dtype}, but b has ${b.dtype}. cast one: cast(b, { dtype: '${a.dtype}' })`,
    )
  }
  const shapeA = a.shape
  const shapeB = b.shape
  let shape: readonly number[]
  let words: Float64Array | undefined
  // Without words the native side takes operands of one length, or a single element on either side.
  if (sameShape(shapeA, shapeB) || (b.size === 1 && shapeB.length <= shapeA.length)) shape = shapeA
  else if (a.size === 1 && shapeA.length <= shapeB.length) shape = shapeB
  else {
    shape = broadcastShape(op, shapeA, shapeB)
    words = new Float64Array(2 * shape.length).fill(1)
    words.set(shapeA, shape.length - shapeA.length)
    words.set(shapeB, 2 * shape.length - shapeB.length)
  }
  const y = empty(shape, a.dtype)
  forward(a.handle, b.handle, y.handle, words)
  if (!recording(a) && !recording(b)) return y
  return record(op, y, [a, b], backward === undefined ? [] : [a, b], (dy, [a, b], [wantsA, wantsB]) => {
    const slope = (ofB: boolean): Tensor => {
      if (backward !== undefined) {
        const d = empty(dy.shape, dy.dtype)
        backward(ofB, dy.handle, a!.handle, b!.handle, d.handle, words)
        return d
      }
      if (!ofB || !negateB) return dy
      const d = empty(dy.shape, dy.dtype)
      native.negForward(dy.handle, d.handle)
      return d
    }
    return [wantsA ? sumTo(slope(false), shapeA) : undefined, wantsB ? sumTo(slope(true), shapeB) : undefined]
  })
}

/** @internal The shape that `a` and `b` broadcast to. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    const inA = a[axis - rank + a.length] ?? 1
    const inB = b[axis - rank + b.length] ?? 1
    if (inA !== inB && inA !== 1 && inB !== 1) {
      throw new ShapeError(
        `${op}: sizes ${inA} and ${inB} do not broadcast. a ${showShape(a)}, b ${showShape(b)}. counted from the last axis, sizes must be equal or one of them 1`,
      )
    }
    shape[axis] = inA === 1 ? inB : inA
  }
  return checkShape(op, shape)
}

/** @internal Sums `x` over the axes along which a tensor of `shape` was repeated. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return x
  const rank = x.shape.length
  const words = new Float64Array(2 * rank)
  x.shape.forEach((size, axis) => {
    words[axis] = size
    words[rank + axis] = Number((shape[axis - rank + shape.length] ?? 1) !== size)
  })
  const y = empty(shape, x.dtype)
  native.sumForward(x.handle, y.handle, words)
  return y
}
