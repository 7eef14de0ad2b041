// What a library must offer to take part in the comparison.

import type { Job } from '../work.js'

/** A job ready to run, or why this library does not run it. */
export type Task = Timed | SelfTimed | { cannot: string }

/** One call does the whole job `per` times (default 1) and returns, or resolves, when the result is there. */
export interface Timed {
  run: () => unknown
  per?: number
  /** Runs before each round, outside the time. */
  select?: () => Promise<unknown>
}

/** Runs the job for about `seconds` in a process of its own and says how long one takes. */
export interface SelfTimed {
  sample: (seconds: number) => Promise<Sample>
}

export interface Sample {
  /** Of the fastest variant. */
  seconds: number
  /** Seconds of every variant, where there are several. */
  variants?: Record<string, number>
}

export interface PeerOptions {
  threads: number
  /** Also what takes minutes. */
  full: boolean
}

export interface Peer {
  readonly name: string
  readonly version: string
  /** How many threads it computes with. */
  readonly threads: number
  prepare(job: Job): Promise<Task>
  /** Frees what the job holds. */
  release?(job: Job): void | Promise<void>
  close?(): void | Promise<void>
}

/** Starts a library, or says why it is not there. */
export type StartPeer = (options: PeerOptions) => Promise<Peer | { name: string; missing: string }>

/** `count` numbers in [-0.5, 0.5), the same every time: every peer computes on such data, none on zeros. */
export function fill(count: number, seed = 1): Float32Array {
  const values = new Float32Array(count)
  let state = seed
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    values[i] = state / 2 ** 32 - 0.5
  }
  return values
}

/** Why a peer that does so many operations a second leaves a job out; undefined when it does not. */
export function tooSlow({ flops = 0 }: Job, flopsPerSecond: number, full: boolean): string | undefined {
  const seconds = flops / flopsPerSecond
  if (seconds > 120) return `would take about ${Math.round(seconds / 60)} minutes`
  if (seconds > 5 && !full) return `takes about ${Math.round(seconds)} s: measured with --full`
  return undefined
}

/** The class indices 0, 1, … 9, 0, 1, … of a batch. */
export function labels(batch: number, classes = 10): Int32Array {
  return Int32Array.from({ length: batch }, (_, i) => i % classes)
}

/** The version in a package's own package.json. */
export function versionOf(require: NodeJS.Require, name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version
}
