// A training that is killed at random moments and goes on from its last checkpoint.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel } from 'ferrograd'
import { packageUrl } from './child.js'

/** Trains for `epochs` from the last checkpoint, if there is one, and writes the weights that come out. */
const script = (folder: string, epochs: number) => `
  import * as f from ${JSON.stringify(packageUrl)}
  import { existsSync, writeSync } from 'node:fs'
  const path = ${JSON.stringify(join(folder, 'checkpoint'))}
  const { images, labels } = f.datasets.spiral({ points: 40, classes: 3, seed: 1 }).train
  let model
  if (existsSync(path)) model = await f.loadModel(path)
  else {
    f.setSeed(5)
    const { layers } = f
    model = f.sequential({ inputShape: [2], layers: [
      layers.dense({ units: 64, activation: 'relu' }), layers.batchNorm(), layers.dropout({ rate: 0.2 }),
      layers.dropout({ rate: 0.1, seed: 3 }), layers.dense({ units: 3 }) ] })
    const learningRate = f.schedules.exponentialDecay({ initialLearningRate: 0.01, decaySteps: 100, decayRate: 0.9 })
    model.compile({ optimizer: f.optimizers.adam({ learningRate, globalClipNorm: 1 }), loss: 'softmaxCrossEntropy' })
  }
  writeSync(1, 'ready')
  const plateau = f.callbacks.reduceOnPlateau({ monitor: 'loss', patience: 1e6 })
  const saver = f.callbacks.checkpoint({ path, every: { batches: 1 } })
  const { epoch } = model.position
  await model.fit(images, labels, { epochs: ${epochs}, initialEpoch: epoch, batchSize: 25, verbose: 0, callbacks: [saver, plateau] })
  await f.saveTensors(${JSON.stringify(join(folder, 'weights'))}, Object.fromEntries(model.weights.map((w, i) => [i, w])))
`

interface Life {
  /** How it ended: null when it was killed. */
  code: number | null
  stderr: string
}

/** Runs the training, and kills it `delay` ms after it has begun, if a delay is given. */
function live(folder: string, epochs: number, delay?: number): Promise<Life> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(folder, epochs)], {
      env: { ...process.env, FERROGRAD_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    if (delay !== undefined) child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay))
    child.on('close', (code) => resolve({ code, stderr }))
  })
}

export interface CrashReport {
  kills: number
  /** How many of them left a half-written temporary file. */
  inMidWrite: number
  /** Different places in the training at which it was killed. */
  places: number
  /** Checkpoints that could not be loaded, and lives that ended with an error. */
  broken: string[]
  /** What is left beside the checkpoint and the weights. */
  litter: string[]
  /** Whether the weights are those of a training without a break. */
  sameBits: boolean
}

/** Kills a training so often. */
export async function crashTest({
  kills,
  seed,
  progress = () => {},
}: {
  kills: number
  seed: number
  progress?: (line: string) => void
}): Promise<CrashReport> {
  const [folder, whole] = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'ferrograd-crash-'))) as [string, string]
  const report = { kills: 0, inMidWrite: 0, broken: [] as string[], litter: [] as string[], sameBits: false }
  const places = new Set<string>()
  // About as long as all lives together.
  const epochs = 10 + 4 * kills
  try {
    const uninterrupted = live(whole, epochs)
    let state = seed
    for (;;) {
      state = (state * 1103515245 + 12345) % 2 ** 31
      const killed = report.kills < kills
      const life = await live(folder, epochs, killed ? (state / 2 ** 31) * 120 : undefined)
      if (life.code !== null) {
        if (life.code !== 0) report.broken.push(life.stderr)
        break
      }
      report.kills++
      if (readdirSync(folder).some((name) => name.endsWith('.ferrograd-tmp'))) report.inMidWrite++
      const path = join(folder, 'checkpoint')
      if (existsSync(path)) {
        try {
          const model = await loadModel(path)
          places.add(JSON.stringify(model.position))
          progress(`${report.kills} kills, now at epoch ${model.position.epoch} of ${epochs}`)
          model.dispose()
        } catch (error) {
          report.broken.push(String(error))
        }
      }
    }
    const life = await uninterrupted
    if (life.code !== 0) report.broken.push(life.stderr)
    report.litter = readdirSync(folder).filter((name) => !['checkpoint', 'weights'].includes(name))
    if (report.broken.length === 0) {
      report.sameBits = readFileSync(join(folder, 'weights')).equals(readFileSync(join(whole, 'weights')))
    }
    return { ...report, places: places.size }
  } finally {
    for (const path of [folder, whole]) rmSync(path, { recursive: true, force: true })
  }
}
