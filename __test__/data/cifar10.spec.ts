// CIFAR-10 from unpacked files, and out of an archive.
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { datasets, FormatError, memory } from 'ferrograd'
import { packTar } from 'modern-tar'
import { unpack } from '../../dist/data/cifar10.js'
import { serve } from '../helpers/file-server.js'

const RECORD = 3073
const files = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'].map(
  (name) => `${name}.bin`,
)

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograd-cifar-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Record i has label (i + shift) % 10 and pixels that tell channel, row and column apart. */
function batch(shift: number): Buffer {
  const bytes = Buffer.alloc(10_000 * RECORD)
  for (let i = 0; i < 10_000; i++) {
    const at = i * RECORD
    bytes[at] = (i + shift) % 10
    bytes[at + 1] = i % 251
    bytes[at + 1 + 1024] = 1
    bytes[at + 1 + 2048] = 2
    bytes[at + 1 + 5 * 32 + 7] = 57
    bytes[at + 1 + 2048 + 31 * 32 + 31] = 99
  }
  return bytes
}

function unpacked(t: ExecutionContext): string {
  const folder = temporary(t)
  writeFileSync(join(folder, files[0]!), batch(0))
  for (const name of files.slice(1, 5)) linkSync(join(folder, files[0]!), join(folder, name))
  writeFileSync(join(folder, files[5]!), batch(3))
  return folder
}

test.serial('records become images with channels last', async (t) => {
  const before = memory().tensors
  const { train, test: held } = await datasets.cifar10({ folder: unpacked(t) })
  t.is(memory().tensors, before + 4)
  t.deepEqual([train.images.shape, train.images.dtype], [[50_000, 32, 32, 3], 'uint8'])
  t.deepEqual([held.images.shape, held.labels.shape], [[10_000, 32, 32, 3], [10_000]])
  t.deepEqual([train.classNames[0], train.classNames[9]], ['airplane', 'truck'])
  const labels = await train.labels.data()
  t.true(labels instanceof Int32Array && labels.every((label, i) => label === i % 10))
  t.is((await held.labels.data())[0], 3)
  const pixels = await train.images.data()
  for (const image of [0, 1, 9_999, 10_000, 49_999]) {
    const at = (row: number, column: number, channel: number) =>
      pixels[((image * 32 + row) * 32 + column) * 3 + channel]
    t.deepEqual([at(0, 0, 0), at(0, 0, 1), at(0, 0, 2)], [(image % 10_000) % 251, 1, 2])
    t.deepEqual([at(5, 7, 0), at(5, 7, 1), at(31, 31, 2), at(31, 31, 1)], [57, 0, 99, 0])
  }
  for (const part of [train, held]) for (const x of [part.images, part.labels]) x.dispose()
})

test.serial('missing, short and wrong files are named', async (t) => {
  const folder = temporary(t)
  const before = memory().tensors
  await t.throwsAsync(datasets.cifar10({ folder }), {
    message: `datasets.cifar10: ${join(folder, files[0]!)} cannot be read. the folder must have data_batch_1.bin to data_batch_5.bin and test_batch.bin. there is no such file or folder (ENOENT)`,
    code: 'ENOENT',
  })
  writeFileSync(join(folder, files[0]!), Buffer.alloc(100))
  await t.throwsAsync(datasets.cifar10({ folder }), {
    instanceOf: FormatError,
    message: `datasets.cifar10: ${join(folder, files[0]!)} has 100 bytes, but 10000 records of 3073 bytes take 30730000. take the binary version of CIFAR-10`,
  })
  const wrong = batch(0)
  writeFileSync(join(folder, files[0]!), wrong)
  wrong[7 * RECORD] = 10
  writeFileSync(join(folder, files[1]!), wrong)
  await t.throwsAsync(datasets.cifar10({ folder }), {
    instanceOf: FormatError,
    message: `datasets.cifar10: record 7 of ${join(folder, files[1]!)} (byte 21511) has label 10. labels are from 0 to 9`,
  })
  t.is(memory().tensors, before)
  await t.throwsAsync(datasets.cifar10({ folder, maxBytes: 5 } as never), {
    message:
      'datasets.cifar10: there is no option maxBytes (got 5). valid are folder, cacheFolder, offline, mirrors, progress and signal',
  })
  t.is(
    ((await t.throwsAsync(datasets.cifar10({ folder, signal: AbortSignal.abort() }), { any: true })) as Error).name,
    'AbortError',
  )
})

test('an archive is unpacked file by file, whatever else is in it', async (t) => {
  const path = join(temporary(t), 'archive.tar.gz')
  const bytes = batch(1)
  const entry = (name: string, body: Buffer) => ({ header: { name, size: body.length, type: 'file' as const }, body })
  const pack = async (...entries: ReturnType<typeof entry>[]) =>
    writeFileSync(path, gzipSync(await packTar(entries), { level: 1 }))
  const found = async () => {
    const all: string[] = []
    for await (const { name, bytes } of unpack(path, undefined)) all.push(`${name} ${bytes[0]} ${bytes.length}`)
    return all
  }
  await pack(
    entry('cifar-10-batches-bin/readme.html', Buffer.from('hello')),
    ...files
      .slice(0, 2)
      .reverse()
      .map((name) => entry(`cifar-10-batches-bin/${name}`, bytes)),
  )
  const error = await t.throwsAsync(found())
  t.is(
    error?.message,
    `datasets.cifar10: ${path} lacks data_batch_3.bin, data_batch_4.bin, data_batch_5.bin, test_batch.bin`,
  )
  await pack(...files.map((name) => entry(name, bytes)))
  t.deepEqual(
    await found(),
    files.map((name) => `${name} 1 30730000`),
  )
  await pack(entry(files[0]!, Buffer.alloc(5)))
  await t.throwsAsync(found(), {
    instanceOf: FormatError,
    message: `datasets.cifar10: ${path}: data_batch_1.bin has 5 bytes, but 10000 records of 3073 bytes take 30730000. take the binary version of CIFAR-10`,
  })
  writeFileSync(path, gzipSync(Buffer.alloc(5000, 'no tar')))
  t.regex(
    (await t.throwsAsync(found(), { instanceOf: FormatError }))!.message,
    /^datasets\.cifar10: .*archive\.tar\.gz does not unpack: /,
  )
  writeFileSync(path, 'no gzip')
  await t.throwsAsync(found(), { message: `datasets.cifar10: ${path} does not unpack: incorrect header check` })
})

test('an archive that is not the one of record is not used', async (t) => {
  const server = await serve({ 'cifar-10-binary.tar.gz': Buffer.alloc(1000) })
  t.teardown(() => server.close())
  const cacheFolder = temporary(t)
  const error = await t.throwsAsync(datasets.cifar10({ cacheFolder, mirrors: [server.url] }))
  t.is(
    error?.message,
    `datasets.cifar10: cifar-10-binary.tar.gz could not be fetched. ${server.url}cifar-10-binary.tar.gz: it has 1000 bytes there, not 170052171. check the connection, name other addresses with mirrors, or put the file into ${join(cacheFolder, 'cifar-10')} yourself (md5 c32a1d4ab5d03f1284b67883e8d87530)`,
  )
})
