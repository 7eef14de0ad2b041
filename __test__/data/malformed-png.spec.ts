// PNG files that are broken, among the images of a folder.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batches, datasets } from 'ferrograd'
import sharp from 'sharp'
import { testMalformed } from '../helpers/malformed.js'

testMalformed('png', 29, async (t, file) => {
  const dir = mkdtempSync(join(tmpdir(), 'ferrograd-png-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const name of ['good', 'odd']) mkdirSync(join(dir, name))
  const plain = { width: 8, height: 8, channels: 3, background: 'red' } as const
  await sharp({ create: plain })
    .png()
    .toFile(join(dir, 'good', '1.png'))
  const odd = join(dir, 'odd', '2.png')
  copyFileSync(file, odd)
  const { train } = await datasets.imageFolder(dir, { size: 8 })
  try {
    for await (const { xs } of batches(train, { size: 2 })) await xs.data()
  } catch (error) {
    t.true((error as Error).message.includes(odd), String(error))
    throw error
  }
})
