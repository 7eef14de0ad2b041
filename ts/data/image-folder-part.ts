// Images that stay in their files until they are a batch.

import { FormatError, ShapeError } from '../errors.js'
import type { ChannelStatistics } from '../ops/pixels.js'
import { tensor } from '../tensor/create.js'
import { unscoped } from '../tensor/scope.js'
import { checkStatisticsFit } from './channel-statistics.js'
import { type DecodedImage, type DecodeOptions, decodeImage, loadSharp } from './decode-image.js'
import { indexedSource } from './indexed-source.js'
import { PixelCache } from './pixel-cache.js'
import type { NumberedBatch, SampleSource } from './sample-source.js'

/** Files that are decoded at a time; more than the threads of libuv's pool, so that none of them waits for us. */
const AT_ONCE = 8

/** @internal */
export interface ImageFolderFormat extends DecodeOptions {
  op: string
  skipBroken: boolean
  /** Keep decoded images: in this folder, or with true where the system keeps temporary files. */
  cache: boolean | string
}

/** A part of `datasets.imageFolder`: hand it to `batches`. */
export class ImageFolder {
  /** Where the images are. */
  readonly files: readonly string[]
  /** The class of each file: a position in `classNames`. */
  readonly labels: Int32Array
  readonly classNames: readonly string[]
  /** Of one image: `[height, width, channels]`. */
  readonly imageShape: readonly [number, number, number]
  /** Files that could not be decoded and were left out, as far as they have been come across. */
  readonly skipped = new Set<string>()
  private readonly format: ImageFolderFormat
  private readonly cache: PixelCache | undefined

  /** @internal */
  constructor(
    samples: readonly { file: string; label: number }[],
    classNames: readonly string[],
    imageShape: readonly [number, number, number],
    format: ImageFolderFormat,
  ) {
    this.files = samples.map(({ file }) => file)
    this.labels = Int32Array.from(samples, ({ label }) => label)
    this.classNames = classNames
    this.imageShape = imageShape
    this.format = format
    const { op, cache } = format
    if (cache === false || samples.length === 0) return
    const [height, width, channels] = imageShape
    this.cache = new PixelCache(op, samples.length, height * width * channels, cache === true ? undefined : cache)
  }

  /** Gives the disk space of its cache back, if it has one. Images are decoded every time from then on. */
  dispose(): void {
    this.cache?.close()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** How many images there are. */
  get count(): number {
    return this.files.length
  }

  /** @internal */
  $source(normalize: ChannelStatistics | undefined): SampleSource {
    const { files, classNames, imageShape } = this
    if (normalize !== undefined) checkStatisticsFit(this.format.op, 'images', normalize, [1, ...imageShape], 'uint8')
    const about = { count: files.length, classes: classNames.length, waits: true }
    return indexedSource(about, (samples) => this.load(samples))
  }

  private async load(samples: Int32Array): Promise<NumberedBatch | undefined> {
    const [height, width, channels] = this.imageShape
    const each = height * width * channels
    const bytes = new Uint8Array(samples.length * each)
    const found = new Uint8Array(samples.length)
    let next = 0
    const work = async () => {
      for (let at = next++; at < samples.length; at = next++) {
        const to = bytes.subarray(at * each, (at + 1) * each)
        if (await this.fill(samples[at]!, to)) found[at] = 1
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, samples.length) }, work))
    const places = Array.from(samples.keys()).filter((at) => found[at] === 1)
    if (places.length === 0) return undefined
    for (const [to, from] of places.entries()) {
      if (to !== from) bytes.copyWithin(to * each, from * each, (from + 1) * each)
    }
    const taken = Int32Array.from(places, (at) => samples[at]!)
    return unscoped(() => ({
      xs: tensor(bytes.subarray(0, places.length * each), { shape: [places.length, ...this.imageShape] }),
      ys: tensor(taken.map((sample) => this.labels[sample]!)),
      samples: taken,
      finished: false,
    }))
  }

  /** Writes the pixels of an image to `to`; false for a file that is left out. */
  private async fill(sample: number, to: Uint8Array): Promise<boolean> {
    if (await this.cache?.read(sample, to)) return true
    const image = await this.decode(this.files[sample]!)
    if (image === undefined) return false
    to.set(image.pixels)
    await this.cache?.write(sample, image.pixels)
    return true
  }

  /** Undefined for a file that is left out. */
  private async decode(file: string): Promise<DecodedImage | undefined> {
    const { op, skipBroken, size } = this.format
    const sharp = await loadSharp(op)
    let image: DecodedImage
    try {
      image = await decodeImage(sharp, file, this.format)
    } catch (error) {
      if (!skipBroken) throw brokenError(op, file, error)
      this.skipped.add(file)
      return undefined
    }
    const [height, width] = this.imageShape
    if (size === undefined && (image.height !== height || image.width !== width)) {
      throw new ShapeError(
        `${op}: ${file} is ${image.height} × ${image.width} (height × width), but ${this.files[0]} is ${height} × ${width}. bring all to one size: size: [height, width]`,
      )
    }
    return image
  }
}

/** @internal */
export function brokenError(op: string, file: string, error: unknown): FormatError {
  const reason = (error as Error).message.split('\n')[0]!.replace(/:$/, '')
  return new FormatError(
    `${op}: ${file} cannot be decoded: ${reason}. repair or remove it, or pass onBroken: 'skip' to leave out such files`,
    { cause: error },
  )
}
