// Windows that slide over images, as layers take them: options checked early, shapes before there is data.

import { checkBoolean } from '../initializers/options.js'
import { checkSize, type Padding, type Size, windowAxes } from '../ops/window.js'
import { type Shape, showLayout } from './shape.js'

/** Options of every layer whose window slides over images. */
export interface SlidingOptions {
  /** Pixels from one position of the window to the next, for both axes or `[height, width]`. */
  strides?: Size
  /**
   * 'valid': none, the default. 'same': as much as makes the output ⌈input / stride⌉. A number: on every side.
   * `[[top, bottom], [left, right]]`.
   */
  padding?: Padding
  /** Whether a window that does not tile the padded input exactly is an error. Default false: pixels at the end are left out. */
  strict?: boolean
}

/** A checked window. */
export interface Sliding {
  readonly size: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly padding: Padding
  readonly strict: boolean
}

/** @internal Checks the options as far as that is possible without an input. */
export function checkSliding(
  label: string,
  size: readonly [number, number],
  options: SlidingOptions & { dilationRate?: Size },
  defaultStride: readonly [number, number],
): Sliding {
  const { padding = 'valid', strict = false } = options
  const window: Sliding = {
    size,
    stride: options.strides === undefined ? defaultStride : checkSize(label, 'strides', options.strides),
    dilation: checkSize(label, 'dilationRate', options.dilationRate ?? 1),
    padding,
    strict: checkBoolean(label, 'strict', strict),
  }
  // A huge image, for which only the padding can be wrong.
  windowAxes(label, 'any input', [2 ** 30, 2 ** 30], [1, 1], { padding })
  return window
}

/** @internal Height and width of what comes out, null where the input's is; throws when the window does not fit. */
export function slide(label: string, input: Shape, window: Sliding): readonly [number | null, number | null] {
  const [, height, width] = input as readonly [unknown, number | null, number | null]
  const { size, stride, dilation, padding, strict } = window
  const span = (axis: 0 | 1) => (size[axis] - 1) * dilation[axis] + 1
  const [y, x] = windowAxes(label, `input ${showLayout(input)}`, [height ?? span(0), width ?? span(1)], size, {
    stride,
    dilation,
    padding,
    strict: strict && height !== null && width !== null,
  })
  return [height === null ? null : y.output, width === null ? null : x.output]
}
