// CIFAR-10: records of a label and three planes of pixels.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import type { ReadableWritablePair } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import type { ParsedTarEntry } from 'modern-tar'
import { noGrad } from '../autograd/record.js'
import { FormatError, fileError } from '../errors.js'
import { concat, reshape, slice, transpose } from '../ops/index.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Dataset, DatasetPart } from './dataset.js'
import { cachedFile } from './download.js'
import { checkDownload, type DownloadOptions } from './download-options.js'
import type { RemoteFile } from './remote-file.js'

const OP = 'datasets.cifar10'
const SIDE = 32
const RECORD = 1 + 3 * SIDE * SIDE
const RECORDS = 10_000
const BYTES = RECORDS * RECORD
const trainFiles = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`)
const testFile = 'test_batch.bin'
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

const archive: RemoteFile = {
  name: 'cifar-10-binary.tar.gz',
  bytes: 170_052_171,
  algorithm: 'md5',
  checksum: 'c32a1d4ab5d03f1284b67883e8d87530',
}
const mirrors = ['https://www.cs.toronto.edu/~kriz/']

/**
 * Small photographs in ten classes: 50,000 to train on and 10,000 to test with. `images` `[N, 32, 32, 3]` uint8 (red, green,
 * blue), `labels` `[N]` int32. As bytes they take 184 MB in place of 737; training and {@link batches} turn a batch at a
 * time into 0…1.
 *
 * The first call fetches 170 MB into a cache and checks them against the MD5 of record; later calls need no network. A
 * broken download is gone on with. `folder` reads `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` from a
 * place of yours instead: their sizes and labels are checked, not their checksums.
 *
 * Throws when no address has the archive, a {@link FormatError} when a file is not what it should be, and what `signal`
 * aborts with.
 *
 * Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009).
 *
 * @example
 * ```ts
 * import { batches, datasets } from 'ferrograd'
 * async function* augmented() {
 *   const { train } = await datasets.cifar10()
 *   const normalize = { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }
 *   yield* batches(train, { size: 128, shuffle: true, normalize })
 * }
 * console.log(typeof augmented) // function
 * ```
 */
export async function cifar10(options: DownloadOptions = {}): Promise<Dataset> {
  const origin = await checkDownload(OP, 'cifar-10', mirrors, options)
  const { signal } = origin
  const batches = new Map<string, Part>()
  try {
    if ('mirrors' in origin) {
      const path = await cachedFile(origin, archive)
      for await (const { name, bytes } of unpack(path, signal)) batches.set(name, take(`${path}: ${name}`, bytes))
    } else {
      for (const name of [...trainFiles, testFile]) {
        const path = join(origin.folder, name)
        batches.set(name, take(path, await readBatch(path, signal)))
      }
    }
    return { train: joined(trainFiles.map((name) => batches.get(name)!)), test: joined([batches.get(testFile)!]) }
  } finally {
    for (const { images } of batches.values()) images.dispose()
  }
}

/** One file: images `[10000, 32, 32, 3]` and their labels. */
interface Part {
  images: Tensor
  labels: Int32Array
}

function take(name: string, bytes: Uint8Array): Part {
  const labels = Int32Array.from({ length: RECORDS }, (_, i) => bytes[i * RECORD]!)
  const wrong = labels.findIndex((label) => label >= classNames.length)
  if (wrong >= 0) {
    throw new FormatError(
      `${OP}: record ${wrong} of ${name} (byte ${wrong * RECORD}) has label ${labels[wrong]}. labels are from 0 to ${classNames.length - 1}`,
    )
  }
  const images = scope(() =>
    noGrad(() => {
      const planes = slice(tensor(bytes, { shape: [RECORDS, RECORD] }), { begin: [0, 1] })
      return transpose(reshape(planes, [RECORDS, 3, SIDE, SIDE]), [0, 2, 3, 1])
    }),
  )
  return { images, labels }
}

function joined(parts: readonly Part[]): DatasetPart {
  const labels = new Int32Array(parts.length * RECORDS)
  for (const [i, part] of parts.entries()) labels.set(part.labels, i * RECORDS)
  const images = noGrad(() =>
    concat(
      parts.map((part) => part.images),
      { axis: 0 },
    ),
  )
  return { images, labels: tensor(labels), classNames: [...classNames] }
}

async function readBatch(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  signal?.throwIfAborted()
  try {
    const handle = await open(path)
    try {
      const { size } = await handle.stat()
      if (size !== BYTES) throw sizeError(path, size)
      return await handle.readFile({ ...(signal && { signal }) })
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof FormatError || signal?.aborted) throw error
    throw fileError(
      `${OP}: ${path} cannot be read. the folder must have ${trainFiles[0]} to ${trainFiles.at(-1)} and ${testFile}`,
      error,
    )
  }
}

function sizeError(name: string, size: number): FormatError {
  return new FormatError(
    `${OP}: ${name} has ${size} bytes, but ${RECORDS} records of ${RECORD} bytes take ${BYTES}. take the binary version of CIFAR-10`,
  )
}

/** The six files of the archive, one after the other, unpacked as they are asked for. */
export async function* unpack(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  const { createTarDecoder } = await import('modern-tar')
  const unzipped = pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    createGunzip({ chunkSize: 1 << 20 }),
    () => {},
  )
  const entries = Readable.toWeb(unzipped).pipeThrough(createTarDecoder({ strict: true }) as TarDecoder)
  const missing = new Set([...trainFiles, testFile])
  try {
    for await (const { header, body } of entries) {
      signal?.throwIfAborted()
      const name = basename(header.name)
      const wanted = header.type === 'file' && missing.delete(name)
      if (wanted && header.size !== BYTES) throw sizeError(`${path}: ${name}`, header.size)
      const bytes = new Uint8Array(wanted ? BYTES : 0)
      let at = 0
      // What is not wanted is read all the same: the archive goes on behind it.
      for await (const chunk of body) {
        if (wanted) bytes.set(chunk, at)
        at += chunk.length
      }
      if (wanted) yield { name, bytes }
    }
  } catch (error) {
    if (error instanceof FormatError || signal?.aborted) throw error
    throw new FormatError(`${OP}: ${path} does not unpack: ${(error as Error).message}`, { cause: error })
  } finally {
    unzipped.destroy()
  }
  if (missing.size > 0) throw new FormatError(`${OP}: ${path} lacks ${[...missing].join(', ')}`)
}

type TarDecoder = ReadableWritablePair<ParsedTarEntry, Uint8Array>
