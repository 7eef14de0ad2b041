// Images in folders.

import { FormatError, rangeError, show, typeError } from '../errors.js'
import { checkChoice, checkCount, checkOptions } from '../initializers/options.js'
import { checkSeed, Random } from '../tensor/seed.js'
import { decodeImage, loadSharp } from './decode-image.js'
import { brokenError, ImageFolder, type ImageFolderFormat } from './image-folder-part.js'
import { type ImageClass, listImages } from './list-images.js'
import { seedOfPass } from './order.js'

export interface ImageFolderOptions {
  /** What all images are brought to: a number, or `[height, width]`. Without it they must have one size already. */
  size?: number | readonly [height: number, width: number]
  /**
   * How an image of other proportions fits into `size`: `'cover'` cuts off what hangs over, the same on both sides,
   * `'contain'` leaves black bars, `'fill'` distorts. Default 'cover'.
   */
  fit?: 'cover' | 'contain' | 'fill'
  /** 1 is grey, 3 red, green and blue, 4 these and opacity. Default 3. */
  channels?: 1 | 3 | 4
  /** The share of each class that goes into `test`, from 0 up to 1. Default 0. */
  testSplit?: number
  /** Seed of the choice for `test`. Default 0: every call chooses the same. */
  seed?: number
  /** What becomes of files that cannot be decoded: an error that names them, or they are left out. Default 'error'. */
  onBroken?: 'error' | 'skip'
  /** The most pixels that a file may claim to have. Default 2^26. */
  maxPixels?: number
  /**
   * Keep the pixels that were decoded in a temporary file, so that every pass but the first only reads them: in the
   * system's folder for such files with true, or in the folder that is named. It takes height · width · channels bytes an image,
   * and goes with the process or with `dispose()`. A disk that fills up is no error: what found no room is decoded again.
   * Default false.
   */
  cache?: boolean | string
}

/** Images in folders, to train on and to judge by. */
export interface ImageFolderDataset {
  train: ImageFolder
  test: ImageFolder
}

const OP = 'datasets.imageFolder'

/**
 * The images below `dir`, which has a folder for each class: `dir/cats/1.jpg`, `dir/dogs/2.png`. Classes and files are in
 * the order of their names. JPEG, PNG, WebP, GIF, TIFF and AVIF are read; hidden files and files of other kinds are left
 * out, links followed.
 *
 * Nothing is decoded until a batch needs it: `batches(train, { size: 32, shuffle: true })` goes to `fit` or `for await`,
 * and while a batch is worked on the next ones are decoded on other threads. Memory holds these few batches, however many
 * images there are. With `cache` each is decoded once: worth it where decoding takes longer than training. Images come out `[size, height, width, channels]` from 0 to 1, turned as their EXIF data say; grey
 * ones get three equal channels; transparent places become black unless `channels` is 4.
 *
 * Needs the package sharp: `npm install sharp`. Throws a {@link FormatError} when there are no classes, a single one, or one
 * without images; `batches` throws one that names a file that cannot be decoded, and a {@link ShapeError} when sizes differ
 * and `size` is not given.
 *
 * @example
 * ```ts
 * import { batches, datasets, type Sequential } from 'ferrograd'
 * async function train(model: Sequential) {
 *   const { train, test } = await datasets.imageFolder('photos', { size: 96, testSplit: 0.2 })
 *   await model.fit(batches(train, { size: 32, shuffle: true }), { epochs: 10, validationData: batches(test) })
 * }
 * console.log(train.length) // 1
 * ```
 */
export async function imageFolder(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolderDataset> {
  if (typeof dir !== 'string' || dir === '') throw typeError(`${OP}: dir must be a path. got ${show(dir)}`)
  const { format, testSplit, seed } = checkImageFolder(options)
  const sharp = await loadSharp(OP)
  const classes = await listImages(OP, dir)
  const { train, test } = split(classes, testSplit, seed)
  const names = classes.map(({ name }) => name)
  const shape = await shapeOfImages(
    sharp,
    train.map(({ file }) => file),
    format,
  )
  return { train: new ImageFolder(train, names, shape, format), test: new ImageFolder(test, names, shape, format) }
}

function checkImageFolder(options: ImageFolderOptions): { format: ImageFolderFormat; testSplit: number; seed: number } {
  checkOptions(OP, options, ['size', 'fit', 'channels', 'testSplit', 'seed', 'onBroken', 'maxPixels', 'cache'])
  const {
    size,
    fit = 'cover',
    channels = 3,
    testSplit = 0,
    seed = 0,
    onBroken = 'error',
    maxPixels = 2 ** 26,
    cache = false,
  } = options
  checkChoice(OP, 'fit', fit, ['cover', 'contain', 'fill'])
  if (options.fit !== undefined && size === undefined) throw typeError(`${OP}: fit has no effect without size`)
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw rangeError(`${OP}: channels must be 1, 3 or 4. got ${show(channels)}`)
  }
  checkTestSplit(OP, testSplit)
  checkSeed(OP, seed)
  if (options.seed !== undefined && testSplit === 0) throw typeError(`${OP}: seed has no effect without testSplit`)
  checkChoice(OP, 'onBroken', onBroken, ['error', 'skip'])
  checkCount(OP, 'maxPixels', maxPixels)
  if (typeof cache !== 'boolean' && (typeof cache !== 'string' || cache === '')) {
    throw typeError(`${OP}: cache must be true, false or a folder. got ${show(cache)}`)
  }
  const skipBroken = onBroken === 'skip'
  return { format: { op: OP, size: checkSize(size), fit, channels, maxPixels, skipBroken, cache }, testSplit, seed }
}

function checkSize(size: unknown): readonly [number, number] | undefined {
  if (size === undefined) return undefined
  const pair = Array.isArray(size) ? size : [size, size]
  if (pair.length !== 2 || !pair.every((n) => Number.isInteger(n) && n >= 1 && n <= 65_535)) {
    throw rangeError(`${OP}: size must be a whole number from 1 to 65535, or [height, width]. got ${show(size)}`)
  }
  return [pair[0], pair[1]]
}

/** @internal Throws unless this is a share that leaves something to train on. */
export function checkTestSplit(op: string, testSplit: unknown): void {
  if (typeof testSplit !== 'number' || !(testSplit >= 0 && testSplit < 1)) {
    throw rangeError(`${op}: testSplit must be from 0 up to 1, without 1. got ${show(testSplit)}`)
  }
}

interface Sample {
  file: string
  label: number
}

/** Of each class the same share, rounded, but never all of it. */
function split(classes: readonly ImageClass[], share: number, seed: number): { train: Sample[]; test: Sample[] } {
  const parts: { train: Sample[]; test: Sample[] } = { train: [], test: [] }
  for (const [label, { files }] of classes.entries()) {
    const order = new Random(seedOfPass(seed, label)).permutation(files.length)
    const chosen = new Set(order.subarray(0, Math.min(Math.round(files.length * share), files.length - 1)))
    for (const [i, file] of files.entries()) parts[chosen.has(i) ? 'test' : 'train'].push({ file, label })
  }
  return parts
}

/** That of the first image that can be decoded. */
async function shapeOfImages(
  sharp: Awaited<ReturnType<typeof loadSharp>>,
  files: readonly string[],
  format: ImageFolderFormat,
): Promise<readonly [number, number, number]> {
  if (format.size !== undefined) return [...format.size, format.channels]
  for (const file of files) {
    try {
      const { height, width } = await decodeImage(sharp, file, format)
      return [height, width, format.channels]
    } catch (error) {
      if (!format.skipBroken) throw brokenError(OP, file, error)
    }
  }
  throw new FormatError(`${OP}: none of ${files.length} files can be decoded`)
}
