// How long a fresh process takes to import a library, over what an empty one takes.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Measurement } from './harness.js'
import { pythonCommand } from './peers/pytorch.js'

const here = fileURLToPath(new URL('..', import.meta.url))

const node = (script: string): string[] => [process.execPath, '--input-type=module', '-e', script]
const imports: Record<string, { command: string[]; empty: string[] }> = {
  ferrograd: { command: node("await import('ferrograd')"), empty: node('') },
  'tfjs cpu': {
    command: node("await import('@tensorflow/tfjs-layers'); await import('@tensorflow/tfjs-backend-cpu')"),
    empty: node(''),
  },
  'tfjs wasm': {
    command: node("await import('@tensorflow/tfjs-layers'); await import('@tensorflow/tfjs-backend-wasm')"),
    empty: node(''),
  },
  convnetjs: { command: node("await import('convnetjs')"), empty: node('') },
  'brain.js': { command: node("await import('brain.js')"), empty: node('') },
  'onnxruntime-node': { command: node("await import('onnxruntime-node')"), empty: node('') },
  PyTorch: { command: [pythonCommand(), '-c', 'import torch'], empty: [pythonCommand(), '-c', ''] },
}

function secondsOf([program, ...args]: string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(program!, args, { cwd: here, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `exit code ${status}`)
  return (performance.now() - start) / 1000
}

/** The best of `rounds` imports of each library, the best empty process taken off. */
export function measureStartUp(peers: readonly string[], rounds: number): Measurement[] {
  const best = new Map<string, { full: number; empty: number; failure?: string }>()
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      const before = best.get(peer) ?? { full: Number.POSITIVE_INFINITY, empty: Number.POSITIVE_INFINITY }
      try {
        const known = imports[peer]
        if (known === undefined) throw new Error('is no module to import')
        const { command, empty } = known
        best.set(peer, {
          ...before,
          full: Math.min(before.full, secondsOf(command)),
          empty: Math.min(before.empty, secondsOf(empty)),
        })
      } catch (error) {
        best.set(peer, { ...before, failure: (error as Error).message })
      }
    }
  }
  return peers.map((peer) => {
    const { full, empty, failure } = best.get(peer)!
    if (failure !== undefined) return { peer, samples: 0, cannot: failure }
    const seconds = Math.max(full - empty, 1e-4)
    return { peer, samples: rounds, seconds, typical: seconds }
  })
}
