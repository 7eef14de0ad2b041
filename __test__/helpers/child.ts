// Runs a script that imports ferrograd in a process of its own.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const packageUrl = new URL('../../dist/index.js', import.meta.url).href
const root = fileURLToPath(new URL('../../', import.meta.url))

export interface ChildResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs `script` as an ES module in which `f` is ferrograd; kills it after two minutes. */
export function runChild(script: string, env: Record<string, string> = {}, flags: string[] = []): Promise<ChildResult> {
  return runScript(`import * as f from ${JSON.stringify(packageUrl)}\n${script}`, env, flags)
}

/** Runs `source` as an ES module; kills it after two minutes. */
export function runScript(
  source: string,
  env: Record<string, string> = {},
  flags: string[] = [],
): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', source], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
      killSignal: 'SIGKILL',
    })
    const result: ChildResult = { code: null, signal: null, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      result.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      result.stderr += chunk
    })
    child.on('close', (code, signal) => resolve({ ...result, code, signal }))
  })
}
