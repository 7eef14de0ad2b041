// `npm run bench`: every job on every peer, ratios first. See run.mjs for the options.

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { threads } from 'ferrograd'
import { drawRatios } from './chart.js'
import { compare, type Effort, type Measurement } from './harness.js'
import { jobs } from './jobs.js'
import { describeMachine, fmaPeak, pressure } from './machine.js'
import { startBrain } from './peers/brain.js'
import { startConvnetjs } from './peers/convnetjs.js'
import { startFerrograd } from './peers/ferrograd.js'
import { startOnnxRuntime } from './peers/onnxruntime.js'
import type { JobName, Peer, StartPeer } from './peers/peer.js'
import { startPytorch } from './peers/pytorch.js'
import { startTfjsCpu, startTfjsWasm } from './peers/tfjs.js'
import { measureStartUp } from './start-up.js'
import { type JobResult, showJob, showRatios } from './table.js'

const starters: Record<string, StartPeer> = {
  ferrograd: startFerrograd,
  pytorch: startPytorch,
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
const wantedJobs = jobs.filter(
  (job) => positionals.length === 0 || positionals.some((start) => job.name.startsWith(start)),
)
const unknown = wantedPeers.find((name) => !(name in starters))
if (unknown !== undefined) {
  throw new RangeError(`there is no peer "${unknown}". there are ${Object.keys(starters).join(', ')}`)
}
if (wantedJobs.length === 0)
  throw new RangeError(`no job begins so. there are ${jobs.map((job) => job.name).join(', ')}`)

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
console.log('\nA ratio is a peer’s time over ferrograd’s: 2× means that ferrograd is twice as fast.\n')

/** Every peer prepares the job, one after the other, and then they run in turn. */
async function measure(job: JobName, effort: Effort): Promise<Measurement[]> {
  const contenders = []
  for (const peer of peers) contenders.push({ peer: peer.name, task: await peer.prepare(job) })
  return compare(contenders, effort)
}

const names = peers.map((peer) => peer.name)
const results: JobResult[] = []
const busy: number[] = []
for (const job of wantedJobs) {
  let peak = 0
  const beforeRound = (): void => {
    if (job.flops !== undefined) peak = Math.max(peak, fmaPeak(threadCount) ?? 0)
  }
  const measurements =
    job.name === 'start-up' ? measureStartUp(names, effort.rounds) : await measure(job.name, { ...effort, beforeRound })
  for (const peer of peers) await peer.release?.(job.name)
  const result = { job, measurements, ...(peak === 0 ? {} : { peak }) }
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
