// `npm run bench`: every job on every peer, ratios first. See run.mjs for the options.

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { threads } from 'ferrograd'
import { drawRatios } from './chart.js'
import { compare, type Effort, type Measurement } from './harness.js'
import { selectJobs } from './jobs.js'
import { bandwidth, describeMachine, fmaPeak, pressure } from './machine.js'
import { startBrain } from './peers/brain.js'
import { startConvnetjs } from './peers/convnetjs.js'
import { startFerrograd } from './peers/ferrograd.js'
import { startOneDnn } from './peers/onednn.js'
import { startOnnxRuntime } from './peers/onnxruntime.js'
import type { Peer, StartPeer } from './peers/peer.js'
import { startPytorch } from './peers/pytorch.js'
import { startTfjsCpu, startTfjsWasm } from './peers/tfjs.js'
import { measureStartUp } from './start-up.js'
import { type JobResult, showJob, showRatios } from './table.js'
import type { Job } from './work.js'

const starters: Record<string, StartPeer> = {
  ferrograd: startFerrograd,
  pytorch: startPytorch,
  onednn: startOneDnn,
  onnxruntime: startOnnxRuntime,
  'tfjs-wasm': startTfjsWasm,
  'tfjs-cpu': startTfjsCpu,
  convnetjs: startConvnetjs,
  brain: startBrain,
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.3' },
    full: { type: 'boolean', default: false },
    output: { type: 'string' },
  },
})

const count = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new RangeError(`--${name} must be above 0. got ${text}`)
  return value
}
const effort: Effort = { rounds: count('rounds', flags.rounds), seconds: count('seconds', flags.seconds) }
const threadCount = flags.threads === undefined ? threads() : count('threads', flags.threads)
const wantedPeers = ['ferrograd', ...(flags.peers?.split(',') ?? Object.keys(starters))]
const wantedJobs = selectJobs(positionals)
const unknown = wantedPeers.find((name) => !(name in starters))
if (unknown !== undefined) {
  throw new RangeError(`there is no peer "${unknown}". there are ${Object.keys(starters).join(', ')}`)
}

const machine = describeMachine()
console.log(`${machine.cpu}, ${machine.processors} processors, ${machine.features.join(' ')}, Node ${machine.node}`)

const peers: Peer[] = []
const missing: { name: string; missing: string }[] = []
for (const name of new Set(wantedPeers)) {
  const started = await starters[name]!({ threads: threadCount, full: flags.full })
  if ('missing' in started) {
    missing.push(started)
    console.log(`${started.name}: not here. ${started.missing}`)
  } else {
    peers.push(started)
    console.log(`${started.name} ${started.version}, ${started.threads} thread${started.threads === 1 ? '' : 's'}`)
  }
}
if (wantedJobs.some((job) => job.bytes !== undefined)) {
  // The arrays of a layer, and those that no cache holds.
  for (const size of [16, 768]) {
    const found = bandwidth(threadCount, size)
    if (found === undefined) continue
    const { read, copy, triad, streaming } = found
    console.log(
      `arrays of ${size} MB: read ${read}, copy ${copy}, triad ${triad}, triad around the caches ${streaming} GB/s`,
    )
  }
}
console.log('\nA ratio is a peer’s time over ferrograd’s: 2× means that ferrograd is twice as fast.\n')

/** Every peer prepares the job, one after the other, and then they run in turn. */
async function measure(job: Job, effort: Effort): Promise<Measurement[]> {
  const contenders = []
  for (const peer of peers) contenders.push({ peer: peer.name, task: await peer.prepare(job) })
  return compare(contenders, effort)
}

/** What the machine could do at best, measured in every round: multiply-adds, or copying as many bytes. */
function limitsBeside({ flops, bytes }: Job): { measure: () => void; found: { peak?: number; copy?: number } } {
  const found: { peak?: number; copy?: number } = {}
  const measure = (): void => {
    const peak = flops === undefined ? undefined : fmaPeak(threadCount)
    if (peak !== undefined) found.peak = Math.max(peak, found.peak ?? 0)
    const copy = bytes === undefined ? undefined : bandwidth(threadCount, Math.max(1, Math.round(bytes / 2e6)))?.copy
    if (copy !== undefined) found.copy = Math.max(copy, found.copy ?? 0)
  }
  return { measure, found }
}

const names = peers.map((peer) => peer.name)
const results: JobResult[] = []
const busy: number[] = []
for (const job of wantedJobs) {
  const limits = limitsBeside(job)
  const measurements =
    job.work.op === 'start-up'
      ? measureStartUp(names, effort.rounds)
      : await measure(job, { ...effort, beforeRound: limits.measure })
  for (const peer of peers) await peer.release?.(job)
  const result = { job, measurements, ...limits.found }
  results.push(result)
  console.log(`${showJob(result)}\n`)
  const now = pressure()
  if (now !== undefined) busy.push(now)
}
for (const peer of peers) await peer.close?.()

console.log(showRatios(results, names))
const waiting = busy.length === 0 ? undefined : Math.max(...busy)

const date = new Date().toISOString()
const versions = Object.fromEntries(peers.map((peer) => [peer.name, { version: peer.version, threads: peer.threads }]))
const folder = fileURLToPath(new URL('../results/', import.meta.url))
const stem = flags.output ?? `${folder}${date.replaceAll(':', '-').slice(0, 19)}`
mkdirSync(folder, { recursive: true })
const report = { date, machine, threads: threadCount, peers: versions, missing, effort, pressure: waiting, results }
writeFileSync(`${stem}.json`, `${JSON.stringify(report, null, 2)}\n`)
const caption = `${machine.cpu}, ${threadCount} threads, ${date.slice(0, 10)}; ${names.map((name) => `${name} ${versions[name]!.version}`).join(', ')}`
writeFileSync(`${stem}.svg`, await drawRatios(results, names, caption))
console.log(`\nwritten: ${stem}.json and .svg`)
