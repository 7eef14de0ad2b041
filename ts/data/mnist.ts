// MNIST and Fashion-MNIST: four IDX files each.

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, fileError, typeError } from '../errors.js'
import { checkNumber } from '../initializers/options.js'
import { tensor } from '../tensor/create.js'
import type { Dataset, DatasetPart } from './dataset.js'
import { cachedFile } from './download.js'
import { checkDownload, type DownloadOptions, type FileOrigin } from './download-options.js'
import { gunzipWithin, type IdxArray, isGzip, readIdx } from './idx.js'
import type { RemoteFile } from './remote-file.js'

export interface MnistOptions extends DownloadOptions {
  /** The most bytes that a file of `folder` may have, packed or unpacked. Default 2^30. */
  maxBytes?: number
}

interface Source {
  op: string
  /** The folder in the cache. */
  name: string
  mirrors: readonly string[]
  classNames: readonly string[]
  files: readonly RemoteFile[]
}

const file = (name: string, bytes: number, checksum: string): RemoteFile => ({
  name,
  bytes,
  algorithm: 'sha256',
  checksum,
})

const mnistSource: Source = {
  op: 'datasets.mnist',
  name: 'mnist',
  mirrors: ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  files: [
    file('train-images-idx3-ubyte.gz', 9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'),
    file('train-labels-idx1-ubyte.gz', 28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'),
    file('t10k-images-idx3-ubyte.gz', 1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'),
    file('t10k-labels-idx1-ubyte.gz', 4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'),
  ],
}

const fashionSource: Source = {
  op: 'datasets.fashionMnist',
  name: 'fashion-mnist',
  mirrors: [
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
  ],
  classNames: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  files: [
    file('train-images-idx3-ubyte.gz', 26_421_880, '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'),
    file('train-labels-idx1-ubyte.gz', 29_515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'),
    file('t10k-images-idx3-ubyte.gz', 4_422_102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'),
    file('t10k-labels-idx1-ubyte.gz', 5_148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'),
  ],
}

/** The header and the values of 60,000 images: what the published files unpack to at most. */
const UNPACKED = 16 + 60_000 * 28 * 28

/**
 * Handwritten digits: 60,000 to train on and 10,000 to test with. `images` `[N, 28, 28, 1]` uint8, 0 (paper) to 255 (ink);
 * `labels` `[N]` int32. As bytes they take 47 MB in place of 188; training and {@link batches} turn a batch at a time into
 * 0…1.
 *
 * The first call fetches 11.6 MB into a cache, checks them against the SHA-256 of record, and later calls need no network.
 * A broken download is gone on with. `folder` reads the four files, packed or unpacked, from a place of yours instead,
 * as it does for sets in the same format such as KMNIST.
 *
 * Throws when no address has the files, a {@link FormatError} when a file of `folder` is not what it should be, and what
 * `signal` aborts with.
 *
 * Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits (1998), CC BY-SA 3.0.
 *
 * @example
 * ```ts
 * import { datasets, layers, sequential } from 'ferrograd'
 * async function train() {
 *   const { train, test } = await datasets.mnist()
 *   const model = sequential({
 *     inputShape: [28, 28, 1],
 *     layers: [layers.flatten(), layers.dense({ units: 128, activation: 'relu' }), layers.dense({ units: 10 })],
 *   })
 *   model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
 *   await model.fit(train.images, train.labels, { epochs: 5, batchSize: 128 })
 *   return model.evaluate(test.images, test.labels)
 * }
 * console.log(typeof train) // function
 * ```
 */
export async function mnist(options: MnistOptions = {}): Promise<Dataset> {
  return load(mnistSource, options)
}

/**
 * Photographs of clothing in ten classes, in the format of MNIST: 60,000 to train on and 10,000 to test with. `images`
 * `[N, 28, 28, 1]` uint8, `labels` `[N]` int32. The first call fetches 30.9 MB. Everything else is as in {@link mnist}.
 *
 * Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
 * Algorithms (2017), MIT licence.
 *
 * @example
 * ```ts
 * import { datasets } from 'ferrograd'
 * const load = () => datasets.fashionMnist({ offline: true })
 * console.log(typeof load) // function
 * ```
 */
export async function fashionMnist(options: MnistOptions = {}): Promise<Dataset> {
  return load(fashionSource, options)
}

async function load(source: Source, options: MnistOptions): Promise<Dataset> {
  const { op } = source
  const origin = await checkDownload(op, source.name, source.mirrors, options, ['maxBytes'])
  const { maxBytes = 'mirrors' in origin ? UNPACKED : 2 ** 30 } = options
  checkNumber(op, 'maxBytes', maxBytes, 1)
  if (options.maxBytes !== undefined && 'mirrors' in origin) {
    throw typeError(`${op}: maxBytes has no effect without folder: how large the published files are is known`)
  }
  const arrays: IdxArray[] = []
  for (const file of source.files) arrays.push(await readFileOf(source, origin, file, maxBytes))
  const [trainImages, trainLabels, testImages, testLabels] = arrays as [IdxArray, IdxArray, IdxArray, IdxArray]
  check(source, 'train', trainImages, trainLabels)
  check(source, 't10k', testImages, testLabels)
  const train = part(source, trainImages, trainLabels)
  try {
    return { train, test: part(source, testImages, testLabels) }
  } catch (error) {
    train.images.dispose()
    train.labels.dispose()
    throw error
  }
}

async function readFileOf({ op }: Source, origin: FileOrigin, file: RemoteFile, maxBytes: number): Promise<IdxArray> {
  const path = 'mirrors' in origin ? await cachedFile(origin, file) : await findIn(op, origin.folder, file.name)
  const { signal } = origin
  signal?.throwIfAborted()
  try {
    const { size } = await stat(path)
    if (size > maxBytes) {
      throw new FormatError(
        `idx "${path}": it has ${size} bytes, more than ${maxBytes}. raise maxBytes if that is meant`,
      )
    }
    const bytes = await readFile(path, { ...(signal && { signal }) })
    return readIdx(path, isGzip(bytes) ? await gunzipWithin(path, bytes, maxBytes) : bytes)
  } catch (error) {
    if (error instanceof FormatError || signal?.aborted) throw error
    throw fileError(`${op}: ${path} cannot be read`, error)
  }
}

/** The file as it is published, or unpacked. */
async function findIn(op: string, folder: string, name: string): Promise<string> {
  const paths = [name, name.replace(/\.gz$/, '')].map((file) => join(folder, file))
  let reason: unknown
  for (const path of paths) {
    try {
      await stat(path)
      return path
    } catch (error) {
      reason ??= error
    }
  }
  throw fileError(`${op}: neither ${paths.join(' nor ')} can be read`, reason)
}

function check({ op, classNames }: Source, prefix: string, images: IdxArray, labels: IdxArray): void {
  const [imagesName, labelsName] = [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`]
  const shown = (array: IdxArray) =>
    `[${array.shape.join(', ')}] of ${array.values.constructor.name.replace('Buffer', 'Uint8Array')}`
  if (images.shape.length !== 3 || !(images.values instanceof Uint8Array)) {
    throw new FormatError(`${op}: ${imagesName} must hold bytes [images, height, width]. got ${shown(images)}`)
  }
  if (labels.shape.length !== 1 || !(labels.values instanceof Uint8Array)) {
    throw new FormatError(`${op}: ${labelsName} must hold bytes [labels]. got ${shown(labels)}`)
  }
  if (images.shape[0] !== labels.shape[0]) {
    throw new FormatError(
      `${op}: ${imagesName} has ${images.shape[0]} images and ${labelsName} ${labels.shape[0]} labels`,
    )
  }
  const wrong = labels.values.findIndex((label) => label >= classNames.length)
  if (wrong >= 0) {
    throw new FormatError(
      `${op}: label ${wrong} of ${labelsName} is ${labels.values[wrong]}. labels are from 0 to ${classNames.length - 1}`,
    )
  }
}

function part({ classNames }: Source, images: IdxArray, labels: IdxArray): DatasetPart {
  return {
    images: tensor(images.values, { shape: [...images.shape, 1] }),
    labels: tensor(Int32Array.from(labels.values)),
    classNames: [...classNames],
  }
}
