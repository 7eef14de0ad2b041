// Images in folders: what is found, how it is decoded, and what is refused.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { batches, datasets, FormatError, layers, memory, optimizers, ShapeError, sequential } from 'ferrograd'
import sharp from 'sharp'
import { runChild } from '../helpers/child.js'

type Colour = readonly [number, number, number]

/** A PNG of one colour. */
function plain([r, g, b]: Colour, width = 4, height = 4): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer()
}

function folderOf(t: ExecutionContext, files: Record<string, Buffer>): string {
  const dir = mkdtempSync(join(tmpdir(), 'ferrograd-images-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), bytes)
  }
  return dir
}

const red: Colour = [255, 0, 0]
const green: Colour = [0, 255, 0]

async function images(dir: string, options: Parameters<typeof datasets.imageFolder>[1] = {}) {
  const { train } = await datasets.imageFolder(dir, options)
  for await (const { xs, ys } of batches(train, { size: 100 })) {
    const bytes = Array.from(await xs.data(), (value) => Math.round(value * 255))
    return {
      shape: xs.shape,
      bytes,
      labels: Array.from(await ys.data()),
      files: train.files.map((file) => file.slice(dir.length + 1)),
    }
  }
  throw new Error('no images')
}

test('a folder is a class, in the order of names, whatever else lies about', async (t) => {
  const [r, g] = [await plain(red, 2, 1), await plain(green, 2, 1)]
  const dir = folderOf(t, {
    'b/2.png': r,
    'b/10.PNG': r,
    'b/deep/1.png': g,
    'a/x.png': g,
    'a/.hidden.png': Buffer.from('no image'),
    'a/notes.txt': Buffer.from('no image'),
    '.git/x.png': r,
    'loose.png': r,
  })
  symlinkSync(join(dir, 'a', 'x.png'), join(dir, 'b', 'link.png'))
  symlinkSync(join(dir, 'b'), join(dir, 'b', 'deep', 'circle'))
  symlinkSync(join(dir, 'nowhere'), join(dir, 'a', 'broken-link.png'))
  const found = await images(dir)
  t.deepEqual(found.files, ['a/x.png', 'b/10.PNG', 'b/2.png', 'b/link.png', 'b/deep/1.png'])
  t.deepEqual(found.labels, [0, 1, 1, 1, 1])
  t.deepEqual(found.shape, [5, 1, 2, 3])
  t.deepEqual(found.bytes.slice(0, 12), [0, 255, 0, 0, 255, 0, 255, 0, 0, 255, 0, 0])
  const { train, test: held } = await datasets.imageFolder(dir)
  t.deepEqual([train.classNames, train.imageShape, train.count, held.count], [['a', 'b'], [1, 2, 3], 5, 0])
  t.deepEqual(train.labels, Int32Array.of(0, 1, 1, 1, 1))
})

test('images are brought to size, and cut, framed or distorted', async (t) => {
  // Left half red, right half green, twice as wide as high.
  const wide = await sharp({ create: { width: 8, height: 4, channels: 3, background: { r: 255, g: 0, b: 0 } } })
    .composite([{ input: await plain(green, 4, 4), left: 4, top: 0 }])
    .png()
    .toBuffer()
  const dir = folderOf(t, { 'a/1.png': wide, 'b/1.png': await plain(red, 3, 5) })
  const pixel = (found: Awaited<ReturnType<typeof images>>, row: number, column: number) => {
    const [, , width, channels] = found.shape as [number, number, number, number]
    return found.bytes.slice((row * width + column) * channels, (row * width + column + 1) * channels)
  }
  const cover = await images(dir, { size: 4 })
  t.deepEqual(cover.shape, [2, 4, 4, 3])
  t.deepEqual(
    [pixel(cover, 0, 0), pixel(cover, 3, 3)],
    [
      [255, 0, 0],
      [0, 255, 0],
    ],
  )
  const contain = await images(dir, { size: [8, 8], fit: 'contain' })
  t.deepEqual(
    [pixel(contain, 0, 0), pixel(contain, 4, 0), pixel(contain, 4, 7)],
    [
      [0, 0, 0],
      [255, 0, 0],
      [0, 255, 0],
    ],
  )
  t.deepEqual((await images(dir, { size: [6, 2], fit: 'fill' })).shape, [2, 6, 2, 3])
})

test('grey, transparent, turned and deep images are what they look like', async (t) => {
  const grey = await sharp({ create: { width: 2, height: 1, channels: 3, background: { r: 100, g: 100, b: 100 } } })
    .grayscale()
    .jpeg()
    .toBuffer()
  const glass = await sharp({
    create: { width: 2, height: 1, channels: 4, background: { r: 200, g: 100, b: 50, alpha: 0.5 } },
  })
    .png()
    .toBuffer()
  const deep = await sharp({ create: { width: 2, height: 1, channels: 3, background: { r: 200, g: 100, b: 50 } } })
    .toColourspace('rgb16')
    .png()
    .toBuffer()
  // Red above green, stored lying down with the note that it is to be turned by 90°.
  const turned = await sharp(Buffer.from([255, 0, 0, 0, 255, 0]), { raw: { width: 1, height: 2, channels: 3 } })
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .tiff({ compression: 'none' })
    .toBuffer()
  const dir = folderOf(t, { 'a/1.jpg': grey, 'a/2.png': glass, 'b/1.png': deep })
  t.deepEqual((await images(dir)).bytes, [
    ...new Array(6).fill(100),
    100,
    50,
    25,
    100,
    50,
    25,
    200,
    100,
    50,
    200,
    100,
    50,
  ])
  const opaque = await images(dir, { channels: 4 })
  t.deepEqual(opaque.shape, [3, 1, 2, 4])
  t.deepEqual(opaque.bytes.slice(4, 12), [100, 100, 100, 255, 200, 100, 50, 128])
  t.deepEqual((await images(dir, { channels: 1 })).bytes.slice(0, 2), [100, 100])
  const found = await images(folderOf(t, { 'a/1.tif': turned, 'b/1.png': await plain(red, 1, 2) }))
  t.deepEqual(found.shape, [2, 2, 1, 3])
  t.deepEqual(found.bytes.slice(0, 6), [255, 0, 0, 0, 255, 0])
})

test('a share of each class is held back, the same each time', async (t) => {
  const r = await plain(red)
  const names = Array.from({ length: 10 }, (_, i) => `${i}.png`)
  const dir = folderOf(
    t,
    Object.fromEntries([...names.map((name) => [`a/${name}`, r]), ['b/0.png', r], ['b/1.png', r]]),
  )
  const { train, test: held } = await datasets.imageFolder(dir, { testSplit: 0.3 })
  t.deepEqual([held.labels, train.count], [Int32Array.of(0, 0, 0, 1), 8])
  t.deepEqual([...train.files, ...held.files].sort(), [
    ...names.map((name) => join(dir, 'a', name)),
    join(dir, 'b', '0.png'),
    join(dir, 'b', '1.png'),
  ])
  t.deepEqual((await datasets.imageFolder(dir, { testSplit: 0.3 })).test.files, held.files)
  t.notDeepEqual((await datasets.imageFolder(dir, { testSplit: 0.3, seed: 5 })).test.files, held.files)
  // One of each class is always left to train on.
  t.deepEqual((await datasets.imageFolder(dir, { testSplit: 0.99 })).train.labels, Int32Array.of(0, 1))
})

test('a broken file is named, or left out', async (t) => {
  const r = await plain(red)
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  const dir = folderOf(t, {
    'a/1.png': r,
    'a/2.png': r.subarray(0, 40),
    'b/1.png': Buffer.from('no image'),
    'b/2.png': r,
  })
  const error = await t.throwsAsync(images(dir, { size: 4 }), { instanceOf: FormatError })
  t.regex(
    error!.message,
    /^datasets\.imageFolder: \S+\/(a\/2|b\/1)\.png cannot be decoded: .+\. repair or remove it, or pass onBroken: 'skip' to leave out such files$/,
  )
  const { train } = await datasets.imageFolder(dir, { onBroken: 'skip' })
  const list = batches(train, { size: 3 })
  const seen: number[][] = []
  for await (const { ys } of list) seen.push(Array.from(await ys.data()))
  t.deepEqual(seen, [[0], [1]])
  t.deepEqual([...train.skipped].sort(), [join(dir, 'a', '2.png'), join(dir, 'b', '1.png')])
  // A batch of broken files is none.
  const single: number[] = []
  for await (const { ys } of batches(train, { size: 1 })) single.push(...(await ys.data()))
  t.deepEqual(single, [0, 1])
  const cut = folderOf(t, { 'a/1.jpg': jpeg, 'b/1.jpg': jpeg.subarray(0, jpeg.length - 60) })
  await t.throwsAsync(images(cut), { instanceOf: FormatError })
  const huge = folderOf(t, { 'a/1.jpg': jpeg, 'b/1.jpg': jpeg })
  const refused = await t.throwsAsync(images(huge, { maxPixels: 64 * 64 - 1 }), { instanceOf: FormatError })
  t.true(refused!.message.includes('Input image exceeds pixel limit'), refused!.message)
  t.is((await images(huge, { maxPixels: 64 * 64 })).shape[0], 2)
})

test('folders and sizes that cannot be are refused with the way out', async (t) => {
  const r = await plain(red)
  const missing = join(folderOf(t, {}), 'not', 'there')
  const cases: [string, string][] = [
    [missing, `datasets.imageFolder: ${missing} cannot be read. there is no such file or folder (ENOENT)`],
  ]
  const none = folderOf(t, { 'notes.txt': Buffer.from('x') })
  cases.push([
    none,
    `datasets.imageFolder: ${none} must have a folder for each class, with its images inside. it has no folders`,
  ])
  const loose = folderOf(t, { '1.png': r, '2.png': r })
  cases.push([
    loose,
    `datasets.imageFolder: ${loose} must have a folder for each class, with its images inside. 2 images lie directly in it`,
  ])
  const one = folderOf(t, { 'a/1.png': r })
  cases.push([
    one,
    `datasets.imageFolder: ${one} has a single class, a, and there is nothing to tell apart. give the folder that has a folder for each class`,
  ])
  const empty = folderOf(t, { 'a/1.png': r, 'b/x.txt': r })
  cases.push([
    empty,
    `datasets.imageFolder: ${join(empty, 'b')} has no images (.jpg, .jpeg, .png, .webp, .gif, .tif, .tiff and .avif). fill or remove it`,
  ])
  for (const [dir, message] of cases) await t.throwsAsync(datasets.imageFolder(dir), { message })
  const unequal = folderOf(t, { 'a/1.png': r, 'b/1.png': await plain(red, 5, 6) })
  await t.throwsAsync(images(unequal), {
    instanceOf: ShapeError,
    message: `datasets.imageFolder: ${join(unequal, 'b', '1.png')} is 6 × 5 (height × width), but ${join(unequal, 'a', '1.png')} is 4 × 4. bring all to one size: size: [height, width]`,
  })
})

test('wrong options are refused', async (t) => {
  const dir = folderOf(t, { 'a/1.png': await plain(red), 'b/1.png': await plain(red) })
  const cases: [object, string][] = [
    [{ size: 0 }, 'datasets.imageFolder: size must be a whole number from 1 to 65535, or [height, width]. got 0'],
    [
      { size: [1, 2, 3] },
      'datasets.imageFolder: size must be a whole number from 1 to 65535, or [height, width]. got [1, 2, 3]',
    ],
    [{ fit: 'cover' }, 'datasets.imageFolder: fit has no effect without size'],
    [{ size: 4, fit: 'crop' }, "datasets.imageFolder: fit must be 'cover', 'contain' or 'fill'. got \"crop\""],
    [{ channels: 2 }, 'datasets.imageFolder: channels must be 1, 3 or 4. got 2'],
    [{ testSplit: 1 }, 'datasets.imageFolder: testSplit must be from 0 up to 1, without 1. got 1'],
    [{ seed: 1 }, 'datasets.imageFolder: seed has no effect without testSplit'],
    [{ onBroken: 'ignore' }, "datasets.imageFolder: onBroken must be 'error' or 'skip'. got \"ignore\""],
    [{ maxPixels: 0.5 }, 'datasets.imageFolder: maxPixels must be a whole number from 1. got 0.5'],
    [
      { sizes: 3 },
      'datasets.imageFolder: there is no option sizes (got 3). valid are size, fit, channels, testSplit, seed, onBroken, maxPixels and cache',
    ],
  ]
  for (const [options, message] of cases) await t.throwsAsync(datasets.imageFolder(dir, options), { message })
  await t.throwsAsync(datasets.imageFolder('' as never), {
    message: 'datasets.imageFolder: dir must be a path. got ""',
  })
  const { train } = await datasets.imageFolder(dir)
  t.throws(() => batches(train, { labelDType: 'int32' }), {
    message:
      'batches: there is no option labelDType (got "int32"). valid are size, shuffle, seed, dropRemainder, normalize, augment and prefetch',
  })
  t.throws(() => batches(train, { normalize: { mean: [0, 0], std: 1 } }), {
    message: 'datasets.imageFolder: normalize has numbers for 2 channels, but images has 3. images [1, 4, 4, 3]',
  })
})

test('without sharp the error says what to install', async (t) => {
  const hooks = `export async function resolve(name, context, next) {
    if (name === 'sharp') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(name, context)
  }`
  const { stdout } = await runChild(`
    const { register } = await import('node:module')
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    await f.datasets.imageFolder('.').catch(({ message, code }) => console.log(message, code))`)
  t.is(
    stdout,
    'datasets.imageFolder: reading images needs the package sharp. install it: npm install sharp ERR_MISSING_PACKAGE\n',
  )
})

test.serial('a model learns from a folder, and memory is what it was', async (t) => {
  const files: Record<string, Buffer> = {}
  for (let i = 0; i < 20; i++) {
    files[`green/${i}.png`] = await plain([i, 200 + i, 20], 6, 6)
    files[`red/${i}.png`] = await plain([200 + i, 10, i], 6, 6)
  }
  const dir = folderOf(t, files)
  const { train, test: held } = await datasets.imageFolder(dir, { size: 4, testSplit: 0.2 })
  const model = sequential({ inputShape: [4, 4, 3], layers: [layers.flatten(), layers.dense({ units: 2 })] })
  model.compile({
    optimizer: optimizers.adam({ learningRate: 0.05 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  const list = batches(train, { size: 8, shuffle: true, seed: 1, normalize: { mean: 0.5, std: 0.25 } })
  t.is(list.length, 4)
  const before = memory().tensors
  const validationData = batches(held, { normalize: { mean: 0.5, std: 0.25 } })
  const { history } = await model.fit(list, { epochs: 10, verbose: 0, validationData })
  t.is(history.val_accuracy!.at(-1), 1)
  await wait(20)
  t.true(memory().tensors - before <= 8, 'what the optimizer keeps')
  const few = sequential({ inputShape: [4, 4, 3], layers: [layers.flatten(), layers.dense({ units: 1 })] })
  few.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  await t.throwsAsync(few.fit(list, { verbose: 0 }), {
    message: `fit: the data have 2 classes, but model "${few.name}" tells 1. give its last layer 2 outputs`,
  })
})

test('with a cache every image is decoded once, whatever the order, and nothing is left behind', async (t) => {
  const files: Record<string, Buffer> = {}
  for (let i = 0; i < 20; i++) files[`${'ab'[i % 2]}/${i}.png`] = await plain([i * 10, 255 - i, i])
  const dir = folderOf(t, { ...files, 'b/broken.png': Buffer.from('no image') })
  const kept = folderOf(t, {})
  const { train } = await datasets.imageFolder(dir, { cache: kept, onBroken: 'skip' })
  const pass = async (options: Parameters<typeof batches>[1]) => {
    const found = new Map<number, number[]>()
    for await (const { xs } of batches(train, options)) {
      const pixels = Array.from(await xs.data(), (value) => Math.round(value * 255))
      for (let i = 0; i < xs.shape[0]!; i++) found.set(pixels[i * 48]!, pixels.slice(i * 48, (i + 1) * 48))
    }
    return new Map([...found].sort(([a], [b]) => a - b))
  }
  const first = await pass({ size: 6, shuffle: true, seed: 1 })
  t.is(first.size, 20)
  t.deepEqual(
    [...first.values()].map(([red, green, blue]) => [red, green, blue]).sort((a, b) => a[0]! - b[0]!),
    Array.from({ length: 20 }, (_, i) => [i * 10, 255 - i, i]),
  )
  for (const name of Object.keys(files)) rmSync(join(dir, name))
  t.deepEqual(await pass({ size: 7, shuffle: true, seed: 2 }), await pass({ size: 20 }))
  t.is((await pass({ size: 3 })).size, 20, 'the files are gone, and not needed')
  if (process.platform !== 'win32') t.deepEqual(readdirSync(kept), [])
  train.dispose()
  train.dispose()
  t.is((await pass({ size: 3 })).size, 0, 'without its cache it looks for the files')
})

test('a cache that cannot be kept is named', async (t) => {
  const dir = folderOf(t, { 'a/1.png': await plain(red), 'b/2.png': await plain(green) })
  const nowhere = join(dir, 'nowhere')
  const error = await t.throwsAsync(datasets.imageFolder(dir, { cache: nowhere }))
  t.is(
    error?.message,
    `datasets.imageFolder: no cache can be kept in ${nowhere}. there is no such file or folder (ENOENT)`,
  )
  await t.throwsAsync(datasets.imageFolder(dir, { cache: 1 as never }), {
    instanceOf: TypeError,
    message: 'datasets.imageFolder: cache must be true, false or a folder. got 1',
  })
})
