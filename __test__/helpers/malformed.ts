// Files that a reader must refuse or survive, from ../shared/data beside the repository. Without them the tests are skipped.

import { existsSync, readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { FormatError } from 'ferrograd'

interface Case {
  format: string
  file: string
  expect: 'accept' | 'reject' | 'either'
  why: string
}

const folder = new URL('../../../shared/data/malformed/', import.meta.url)
const manifest = new URL('manifest.json', folder)

/**
 * Registers a test for each of the files of `format`, of which there are `least` or more: `read` must read or refuse it as
 * the manifest says, and refuse with a FormatError.
 */
export function testMalformed(
  format: string,
  least: number,
  read: (t: ExecutionContext, file: URL) => Promise<void>,
): void {
  if (!existsSync(manifest)) {
    test.skip(`malformed files: no ${manifest.pathname}`, () => {})
    return
  }
  const cases: Case[] = JSON.parse(readFileSync(manifest, 'utf8')).cases
  const own = cases.filter((one) => one.format === format)
  test('there are malformed files', (t) => t.true(own.length >= least))
  for (const { file, expect, why } of own) {
    test.serial(`${expect} ${file}: ${why}`, async (t) => {
      const error = await read(t, new URL(file, folder)).then(
        () => undefined,
        (error: unknown) => error,
      )
      t.true(error === undefined || error instanceof FormatError, String(error))
      if (expect !== 'either') t.is(error === undefined, expect === 'accept', String(error))
    })
  }
}
