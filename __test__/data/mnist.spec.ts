// MNIST and Fashion-MNIST, the real files where they are beside the repository, from a server on this machine.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { datasets, FormatError, layers, memory, sequential } from 'ferrograd'
import { serve } from '../helpers/file-server.js'

const names = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograd-mnist-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The bytes of an IDX file of uint8. */
function idx(shape: number[], values: number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE(0x0800 + shape.length)
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  return Buffer.concat([header, Buffer.from(values)])
}

/** A folder with two images to train on and one to test with. */
function small(t: ExecutionContext, changes: Record<string, Buffer | null> = {}): string {
  const folder = temporary(t)
  const files: Record<string, Buffer | null> = {
    'train-images-idx3-ubyte': idx([2, 1, 2], [0, 255, 7, 8]),
    'train-labels-idx1-ubyte': idx([2], [9, 0]),
    't10k-images-idx3-ubyte.gz': gzipSync(idx([1, 1, 2], [1, 2])),
    't10k-labels-idx1-ubyte.gz': gzipSync(idx([1], [3])),
    ...changes,
  }
  for (const [name, bytes] of Object.entries(files)) if (bytes !== null) writeFileSync(join(folder, name), bytes)
  return folder
}

test('a folder may have its files packed or not, of any size', async (t) => {
  const { train, test: held } = await datasets.mnist({ folder: small(t) })
  t.deepEqual([train.images.shape, train.images.dtype], [[2, 1, 2, 1], 'uint8'])
  t.deepEqual(Array.from(await train.images.data()), [0, 255, 7, 8])
  t.deepEqual([train.labels.dtype, Array.from(await train.labels.data())], ['int32', [9, 0]])
  t.deepEqual(Array.from(await held.images.data()), [1, 2])
  t.deepEqual(Array.from(await held.labels.data()), [3])
  t.deepEqual(train.classNames, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  const { train: clothes } = await datasets.fashionMnist({ folder: small(t) })
  t.is(clothes.classNames[9], 'Ankle boot')
})

test.serial('files that are not what they should be are refused, and nothing is left in memory', async (t) => {
  const before = memory().tensors
  const cases: [Record<string, Buffer | null>, (folder: string) => string][] = [
    [
      { 'train-images-idx3-ubyte': null },
      (folder) =>
        `datasets.mnist: neither ${join(folder, 'train-images-idx3-ubyte.gz')} nor ${join(folder, 'train-images-idx3-ubyte')} can be read. there is no such file or folder (ENOENT)`,
    ],
    [
      { 'train-images-idx3-ubyte': idx([2], [1, 2]) },
      () => 'datasets.mnist: train-images-idx3-ubyte must hold bytes [images, height, width]. got [2] of Uint8Array',
    ],
    [
      { 'train-labels-idx1-ubyte': Buffer.from([0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 0, 5]) },
      () => 'datasets.mnist: train-labels-idx1-ubyte must hold bytes [labels]. got [1] of Int32Array',
    ],
    [
      { 'train-labels-idx1-ubyte': idx([3], [0, 1, 2]) },
      () => 'datasets.mnist: train-images-idx3-ubyte has 2 images and train-labels-idx1-ubyte 3 labels',
    ],
    [
      { 't10k-labels-idx1-ubyte.gz': gzipSync(idx([1], [10])) },
      () => 'datasets.mnist: label 0 of t10k-labels-idx1-ubyte is 10. labels are from 0 to 9',
    ],
    [
      { 't10k-labels-idx1-ubyte.gz': Buffer.from('<!DOCTYPE html>') },
      (folder) =>
        `idx "${join(folder, 't10k-labels-idx1-ubyte.gz')}": it is no IDX file, which begins with two zero bytes. byte 0 is 0x3c, byte 1 is 0x21`,
    ],
  ]
  for (const [changes, message] of cases) {
    const folder = small(t, changes)
    const error = await t.throwsAsync(datasets.mnist({ folder }))
    t.is(error?.message, message(folder))
    if (!error?.message.includes('neither')) t.true(error instanceof FormatError)
  }
  t.is(memory().tensors, before)
})

test('what unpacks to more than maxBytes is refused', async (t) => {
  const bomb = gzipSync(idx([1000, 100, 100], new Array(10_000_000).fill(0)))
  const folder = small(t, { 't10k-images-idx3-ubyte.gz': bomb })
  const path = join(folder, 't10k-images-idx3-ubyte.gz')
  await t.throwsAsync(datasets.mnist({ folder, maxBytes: 1_000_000 }), {
    instanceOf: FormatError,
    message: `gzip "${path}": its ${bomb.length} bytes unpack to more than 1000000. raise maxBytes if that is meant`,
  })
  await t.throwsAsync(datasets.mnist({ folder, maxBytes: 15 }), {
    message: `idx "${join(folder, 'train-images-idx3-ubyte')}": it has 20 bytes, more than 15. raise maxBytes if that is meant`,
  })
})

test('wrong options are refused', async (t) => {
  const cases: [object, string][] = [
    [{ folder: 5 }, 'datasets.mnist: folder must be a path. got 5'],
    [{ folder: '' }, 'datasets.mnist: folder must be a path. got ""'],
    [{ cacheFolder: null }, 'datasets.mnist: cacheFolder must be a path. got null'],
    [{ offline: 1 }, 'datasets.mnist: offline must be true or false. got 1'],
    [{ progress: 'no' }, 'datasets.mnist: progress must be true or false. got "no"'],
    [{ signal: {} }, 'datasets.mnist: signal must be an AbortSignal. got an object'],
    [{ mirrors: [] }, 'datasets.mnist: mirrors must be a list of addresses that begin with http: or https:. got []'],
    [
      { mirrors: ['file:///etc/'] },
      'datasets.mnist: mirrors must be a list of addresses that begin with http: or https:. got ["file:///etc/"]',
    ],
    [
      { folder: 'x', offline: true },
      'datasets.mnist: offline has no effect with folder, from which nothing is fetched',
    ],
    [{ folder: 'x', maxBytes: 0 }, 'datasets.mnist: maxBytes must be 1 or more. got 0'],
    [
      { maxBytes: 5 },
      'datasets.mnist: maxBytes has no effect without folder: how large the published files are is known',
    ],
    [
      { cache: 'x' },
      'datasets.mnist: there is no option cache (got "x"). valid are folder, cacheFolder, offline, mirrors, progress, signal and maxBytes',
    ],
  ]
  for (const [options, message] of cases) await t.throwsAsync(datasets.mnist(options), { message })
})

const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url))
const real = existsSync(shared) ? test : test.skip
const title = (what: string) => (existsSync(shared) ? what : `${what}: no ${shared}`)

function published(folder: string): Record<string, Buffer> {
  return Object.fromEntries(names.map((name) => [`${name}.gz`, readFileSync(join(shared, folder, `${name}.gz`))]))
}

real(title('the published files are fetched over a bad connection, checked, and found again offline'), async (t) => {
  for (const [folder, load, sums] of [
    ['mnist', datasets.mnist, [1567298545, 267236, 264923200, 44434]],
    ['fashion-mnist', datasets.fashionMnist, [3431114169, 270000, 573469082, 45000]],
  ] as const) {
    const server = await serve(published(folder), (name, n) =>
      name.startsWith('train-images') && n === 0 ? { cutAfter: 3_000_000 } : undefined,
    )
    t.teardown(() => server.close())
    const missing = await serve({})
    t.teardown(() => missing.close())
    const cacheFolder = temporary(t)
    const fetched = await load({ cacheFolder, mirrors: [missing.url, server.url] })
    t.true(server.requests.some((line) => /^train-images\S+ bytes=\d+- /.test(line)))
    t.deepEqual(readdirSync(join(cacheFolder, folder)).sort(), names.map((name) => `${name}.gz`).sort())
    const again = await load({ cacheFolder, offline: true })
    for (const { train, test: held } of [fetched, again]) {
      t.deepEqual(
        [train.images.shape, held.images.shape],
        [
          [60000, 28, 28, 1],
          [10000, 28, 28, 1],
        ],
      )
      const found: number[] = []
      for (const x of [train.images, train.labels, held.images, held.labels]) {
        let total = 0
        for (const value of await x.data()) total += value
        found.push(total)
        x.dispose()
      }
      t.deepEqual(found, [...sums])
    }
  }
})

real(title('a folder of the published files is read without the network'), async (t) => {
  const folder = temporary(t)
  for (const name of names) {
    const bytes = readFileSync(join(shared, 'mnist', `${name}.gz`))
    if (name.includes('labels')) writeFileSync(join(folder, name), gunzipSync(bytes))
    else copyFileSync(join(shared, 'mnist', `${name}.gz`), join(folder, `${name}.gz`))
  }
  const { train, test: held } = await datasets.mnist({ folder })
  t.deepEqual(Array.from((await train.labels.data()).slice(0, 5)), [5, 0, 4, 1, 9])
  const model = sequential({ inputShape: [28, 28, 1], layers: [layers.flatten(), layers.dense({ units: 10 })] })
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  await model.fit(train.images, train.labels, { epochs: 1, batchSize: 128, seed: 0, verbose: 0 })
  const { accuracy } = await model.evaluate(held.images, held.labels, { batchSize: 500 })
  t.true(accuracy! > 0.88, `${accuracy}`)
})
