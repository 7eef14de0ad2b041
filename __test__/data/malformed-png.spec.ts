// PNG files that are refused with a FormatError, or read, as their manifest in ../shared/data beside the repository says.
// Without it the tests are skipped.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { batches, datasets, FormatError } from 'ferrograd'
import sharp from 'sharp'

interface Case {
  format: string
  file: string
  expect: 'accept' | 'reject' | 'either'
  why: string
}

const folder = new URL('../../../shared/data/malformed/', import.meta.url)
const manifest = new URL('manifest.json', folder)
if (existsSync(manifest)) {
  const cases: Case[] = JSON.parse(readFileSync(manifest, 'utf8')).cases
  const own = cases.filter(({ format }) => format === 'png')
  test('there are cases', (t) => t.true(own.length >= 29))
  for (const { file, expect, why } of own) {
    test.serial(`${expect} ${file}: ${why}`, async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'ferrograd-png-'))
      t.teardown(() => rmSync(dir, { recursive: true, force: true }))
      for (const name of ['good', 'odd']) mkdirSync(join(dir, name))
      const plain = { width: 8, height: 8, channels: 3, background: 'red' } as const
      await sharp({ create: plain })
        .png()
        .toFile(join(dir, 'good', '1.png'))
      copyFileSync(new URL(file, folder), join(dir, 'odd', '2.png'))
      const { train } = await datasets.imageFolder(dir, { size: 8 })
      const error = await (async () => {
        for await (const { xs } of batches(train, { size: 2 })) await xs.data()
      })().then(
        () => undefined,
        (error: unknown) => error,
      )
      if (error !== undefined) {
        t.true(error instanceof FormatError, String(error))
        t.true((error as Error).message.includes(join(dir, 'odd', '2.png')), String(error))
      }
      if (expect === 'either') t.pass()
      else t.is(error === undefined, expect === 'accept')
    })
  }
} else {
  test.skip(`malformed PNG files: no ${manifest.pathname}`, () => {})
}
