// Training on images that are decoded on the way, against the same images in memory: speed, and what memory does.
//
//   npm run bench -- image-folder          6,000 JPEGs of 96 × 96 in a temporary folder
//   npm run bench -- image-folder 20000

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batches, datasets, layers, type Sequential, sequential, tensor, threads } from 'ferrograd'
import sharp from 'sharp'

const count = Number(process.argv.slice(2).find((text) => /^\d+$/.test(text)) ?? 6000)
const SIDE = 96
const CLASSES = 10
const BATCH = 64
const megabytes = (): number => Math.round(process.memoryUsage().rss / 2 ** 20)

/** Pictures with edges and noise, about as large as photographs of this size. */
async function write(folder: string): Promise<void> {
  const pixels = Buffer.alloc(SIDE * SIDE * 3)
  for (let label = 0; label < CLASSES; label++) mkdirSync(join(folder, String(label)))
  for (let i = 0; i < count; i++) {
    const label = i % CLASSES
    for (let at = 0; at < pixels.length; at++) {
      const [row, column] = [Math.floor(at / 3 / SIDE), Math.floor(at / 3) % SIDE]
      pixels[at] = 40 + ((row * (label + 1) + column * 3) % 120) + (at % 3) * 20 + Math.random() * 30
    }
    const jpeg = await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer()
    writeFileSync(join(folder, String(label), `${i}.jpg`), jpeg)
  }
}

function convNet(): Sequential {
  const conv = (filters: number) => layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' })
  const model = sequential({
    inputShape: [SIDE, SIDE, 3],
    layers: [
      ...[16, 32, 64].flatMap((filters) => [conv(filters), layers.maxPool2d({ poolSize: 2 })]),
      layers.flatten(),
      layers.dense({ units: CLASSES }),
    ],
  })
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  return model
}

const folder = mkdtempSync(join(tmpdir(), 'ferrograd-bench-'))
try {
  await write(folder)
  const { train } = await datasets.imageFolder(folder)
  const { train: cached } = await datasets.imageFolder(folder, { cache: true })
  const shuffled = { size: BATCH, shuffle: true, seed: 1 } as const

  const bytes = new Uint8Array(count * SIDE * SIDE * 3)
  const labels = new Int32Array(count)
  let at = 0
  for await (const { xs, ys } of batches(train, { size: BATCH })) {
    labels.set((await ys.data()) as Int32Array, at)
    bytes.set(
      Uint8Array.from(await xs.data(), (x) => Math.round(x * 255)),
      at * SIDE * SIDE * 3,
    )
    at += ys.size
  }
  const inMemory = { images: tensor(bytes, { shape: [count, SIDE, SIDE, 3] }), labels: tensor(labels) }

  console.log(`${count} JPEGs of ${SIDE} × ${SIDE}, ${threads()} threads, batches of ${BATCH}`)
  const best = { memory: Infinity, folder: Infinity, cached: Infinity }
  const model = convNet()
  for (let round = 0; round < 4; round++) {
    for (const [name, source] of [
      ['memory', inMemory],
      ['folder', train],
      ['cached', cached],
    ] as const) {
      const start = performance.now()
      await model.fit(batches(source, shuffled), { epochs: 1, verbose: 0 })
      const seconds = (performance.now() - start) / 1000
      if (round > 0) best[name] = Math.min(best[name], seconds)
      console.log(`  ${name}: ${Math.round(count / seconds)} images a second, ${megabytes()} MB`)
    }
  }
  const share = (seconds: number) => Math.round((100 * best.memory) / seconds)
  console.log(
    `from the folder at ${share(best.folder)} % of the speed from memory, with a cache at ${share(best.cached)} %`,
  )
  inMemory.images.dispose()

  const start = performance.now()
  for await (const _ of batches(train, shuffled));
  console.log(`decoding alone: ${Math.round(count / ((performance.now() - start) / 1000))} images a second`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
