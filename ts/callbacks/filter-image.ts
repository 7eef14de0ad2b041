// What a first layer looks for, as a picture.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { noGrad } from '../autograd/record.js'
import { imageGrid } from '../data/image-grid.js'
import { reshape, transpose } from '../ops/index.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import type { ModelShape, Trainable } from '../training/trainable.js'
import type { Summary_ImageSchema } from './event_pb.js'

/** Pictures are enlarged, by whole numbers, as long as they are no wider than this. */
const WIDTH = 256

type Sharp = typeof import('sharp')['default']

/** @internal The package `sharp`. Rejects with an error that says what to install. */
export async function loadSharp(op: string): Promise<Sharp> {
  try {
    return (await import('sharp')).default
  } catch (error) {
    throw Object.assign(
      new Error(`${op}: images are encoded by the package sharp, which cannot be loaded. npm install sharp`, {
        cause: error,
      }),
      { code: 'ERR_NO_SHARP' },
    )
  }
}

/** @internal The first weight with something to look at, and its shape as filters `[H, W, C, N]`. */
export interface Filters {
  readonly weight: Variable
  readonly shape: readonly number[]
}

/**
 * @internal The filters of a first convolution, or the templates of a first dense layer for images. Undefined where there
 * are none.
 */
export function filtersOf(model: Trainable): Filters | undefined {
  for (const weight of model.weights) {
    const { shape } = weight
    if (shape.length === 4) return { weight, shape }
    if (shape.length < 2) continue
    const image = imageShape(model.inputShape)
    const [inputs, units] = shape
    const fits = shape.length === 2 && image !== undefined && image[0]! * image[1]! * image[2]! === inputs
    return fits ? { weight, shape: [...image, units!] } : undefined
  }
  return undefined
}

function imageShape(shape: Trainable['inputShape']): number[] | undefined {
  if (shape?.length !== 4 || shape.slice(1).some((size) => typeof size !== 'number')) return undefined
  return (shape as ModelShape).slice(1) as number[]
}

/** @internal Filters side by side as PNG. Those of 1 and 3 channels are grey and coloured, others a tile for each channel. */
export async function encodeFilters(
  sharp: Sharp,
  { weight, shape }: Filters,
): Promise<MessageInitShape<typeof Summary_ImageSchema>> {
  const picture = scope(() => noGrad(() => imageGrid(tiles(weight, shape))))
  const reading = picture.data()
  const [height, width, channels] = picture.shape as [number, number, number]
  picture.dispose()
  const times = Math.max(1, Math.floor(WIDTH / width))
  const { data, info } = await sharp((await reading) as Uint8Array, {
    raw: { width, height, channels: channels as 1 | 3 },
  })
    .resize({ width: width * times, height: height * times, kernel: 'nearest' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer({ resolveWithObject: true })
  return { height: info.height, width: info.width, colorspace: channels, encodedImageString: data }
}

function tiles(weight: Tensor, shape: readonly number[]): Tensor {
  const [height, width, channels] = shape as [number, number, number]
  const filters = reshape(weight, [...shape])
  if (channels === 1 || channels === 3) return transpose(filters, [3, 0, 1, 2])
  return reshape(transpose(filters, [3, 2, 0, 1]), [-1, height, width, 1])
}
