// Whether inputs are like those that statistics were taken from.

import { ShapeError } from '../errors.js'
import { showShape, sizeOf } from '../tensor/shape.js'

/** @internal Throws unless `shape` is that of samples of shape `example`. */
export function checkSamples(label: string, shape: readonly number[], example: readonly number[]): void {
  if (shape.length === example.length + 1 && example.every((size, axis) => size === shape[axis + 1])) return
  const [size, each] = [sizeOf(shape), sizeOf(example)]
  const way =
    shape.length > 1 && size / shape[0]! === each ? `. reshape it: reshape(x, [-1, ${example.join(', ')}])` : ''
  throw new ShapeError(`${label}: x has shape ${showShape(shape)}, but it was fitted on ${showSamples(example)}${way}`)
}

/** @internal Throws unless the last axis of `shape` is the channels that statistics were taken for. */
export function checkChannels(label: string, shape: readonly number[], channels: number): void {
  if (shape.length > 1 && shape.at(-1) === channels) return
  throw new ShapeError(
    `${label}: x has shape ${showShape(shape)}, but it was fitted on ${channels} ${channels === 1 ? 'channel' : 'channels'}: [N, …, ${channels}]`,
  )
}

/** @internal Throws unless `shape` is that of results with `components` numbers each. */
export function checkResults(label: string, shape: readonly number[], components: number): void {
  if (shape.length === 2 && shape[1] === components) return
  throw new ShapeError(
    `${label}: inverse takes what transform gives, ${showSamples([components])}. got shape ${showShape(shape)}`,
  )
}

/** @internal `[N, 28, 28, 1]` */
export function showSamples(example: readonly number[]): string {
  return `[N, ${example.join(', ')}]`
}
