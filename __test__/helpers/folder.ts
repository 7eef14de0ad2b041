// A folder for the files of one test.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A new folder that is removed when the test is over. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograd-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
