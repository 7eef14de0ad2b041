// What the figures were measured on, and whether the machine was quiet.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Machine {
  cpu: string
  processors: number
  memoryGB: number
  /** The vector instructions that matter here, as far as the system tells. */
  features: string[]
  system: string
  node: string
}

export function describeMachine(): Machine {
  const flags = existsSync('/proc/cpuinfo')
    ? (/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '')
    : ''
  const known = flags.split(' ')
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    features: ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_tile'].filter((flag) => known.includes(flag)),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}

/** The share of the last ten seconds in which something waited for a processor, in per cent; undefined where unknown. */
export function pressure(): number | undefined {
  try {
    const found = /avg10=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}

/**
 * GFLOP/s of a loop of nothing but fused multiply-adds on `threads` threads, the limit that matmul and direct
 * convolutions approach; undefined where run.mjs found no Rust compiler to build it with.
 */
export function fmaPeak(threads: number): number | undefined {
  const gflops = Number(ask('fma_peak', threads))
  return Number.isFinite(gflops) ? gflops : undefined
}

/** GB/s of streams over long arrays: reading, copying, z = x + 3 y, and that with stores around the caches. */
export interface Bandwidth {
  read: number
  copy: number
  triad: number
  streaming: number
}

/** What arrays of `megabytes` each stream at on `threads` threads; undefined as above. */
export function bandwidth(threads: number, megabytes: number): Bandwidth | undefined {
  const answer = ask('bandwidth', threads, megabytes)
  return answer === undefined ? undefined : (JSON.parse(answer) as Bandwidth)
}

function ask(name: string, ...numbers: number[]): string | undefined {
  const program = fileURLToPath(new URL(`./${name}`, import.meta.url))
  if (!existsSync(program)) return undefined
  return execFileSync(program, numbers.map(String), { encoding: 'utf8', timeout: 60_000 }).trim()
}
