// Files that a loader must refuse or survive, from ../shared/data beside the repository. Without them the tests are
// skipped.
import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import { FormatError, loadTensors, memory } from 'ferrograd'

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
  const own = cases.filter(({ format }) => format === 'safetensors')
  test('there are cases', (t) => t.true(own.length >= 33))
  for (const { file, expect, why } of own) {
    test.serial(`${expect} ${file}: ${why}`, async (t) => {
      const before = memory().tensors
      let accepted = true
      try {
        for (const tensor of Object.values(await loadTensors(new URL(file, folder)))) {
          if (tensor.size > 0) await tensor.data()
          tensor.dispose()
        }
      } catch (error) {
        accepted = false
        t.true(error instanceof FormatError, String(error))
      }
      t.is(memory().tensors, before)
      if (expect !== 'either') t.is(accepted, expect === 'accept')
    })
  }
} else {
  test.skip(`malformed files: no ${manifest.pathname}`, () => {})
}
