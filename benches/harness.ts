// The only file that knows benny: interleaved comparisons, best of N.

import { add, suite } from 'benny'
import type { Sample, Task, Timed } from './peers/peer.js'

export interface Contender {
  peer: string
  task: Task
}

export interface Measurement {
  peer: string
  /** Seconds of one job, the best sample of all rounds; absent when it could not run. */
  seconds?: number
  /** The median of the rounds' bests: how steady the machine was. */
  typical?: number
  samples: number
  variant?: string
  /** The best of every variant, where there are several. */
  variants?: Record<string, number>
  cannot?: string
}

export interface Effort {
  /** Every contender runs once a round, in turn, so that a busy moment of the machine hits all of them. */
  rounds: number
  /** Time for each contender in each round. */
  seconds: number
  /** Runs before each round. */
  beforeRound?: () => void
}

/** A first run longer than this is timed by hand, a few times, instead of by benny, which would repeat it too often. */
const patience = 0.7

/** Runs all contenders in turn, `rounds` times, and keeps the best sample of each. */
export async function compare(contenders: readonly Contender[], effort: Effort): Promise<Measurement[]> {
  const entrants = []
  for (const { peer, task } of contenders) entrants.push(await warmUp(peer, task))
  for (let round = 0; round < effort.rounds; round++) {
    effort.beforeRound?.()
    for (const entrant of entrants) await entrant.round(effort.seconds)
  }
  return entrants.map((entrant) => entrant.result())
}

class Entrant {
  private readonly bests: number[] = []
  private samples = 0
  private readonly variants: Record<string, number> = {}
  private failure: string | undefined

  constructor(
    private readonly peer: string,
    private readonly sample: (seconds: number) => Promise<Sample & { samples: number }>,
    private rounds = Number.POSITIVE_INFINITY,
  ) {}

  async round(seconds: number): Promise<void> {
    if (this.failure !== undefined || this.rounds-- <= 0) return
    try {
      const found = await this.sample(seconds)
      for (const [name, seconds] of Object.entries(found.variants ?? {})) {
        this.variants[name] = Math.min(seconds, this.variants[name] ?? Number.POSITIVE_INFINITY)
      }
      this.bests.push(found.seconds)
      this.samples += found.samples
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error)
    }
  }

  result(): Measurement {
    if (this.failure !== undefined) return { peer: this.peer, samples: 0, cannot: this.failure }
    const sorted = [...this.bests].sort((a, b) => a - b)
    const [fastest] = Object.entries(this.variants).sort(([, a], [, b]) => a - b)
    return {
      peer: this.peer,
      seconds: sorted[0]!,
      typical: sorted[Math.floor(sorted.length / 2)]!,
      samples: this.samples,
      ...(fastest === undefined ? {} : { variant: fastest[0], variants: this.variants }),
    }
  }
}

async function warmUp(peer: string, task: Task): Promise<Entrant> {
  const failing = (error: unknown): Entrant => new Entrant(peer, () => Promise.reject(error), 1)
  if ('cannot' in task) return failing(new Error(task.cannot))
  try {
    if ('sample' in task) {
      const { seconds } = await task.sample(0)
      return new Entrant(peer, async (s) => ({ ...(await task.sample(s)), samples: 1 }), roundsFor(seconds))
    }
    const first = await time(task)
    if (first < patience) return new Entrant(peer, (seconds) => byBenny(peer, task, seconds))
    return new Entrant(
      peer,
      async () => ({ seconds: (await time(task)) / (task.per ?? 1), samples: 1 }),
      roundsFor(first),
    )
  } catch (error) {
    return failing(error)
  }
}

/** How often something that takes so long is worth repeating. */
function roundsFor(seconds: number): number {
  return seconds < patience ? Number.POSITIVE_INFINITY : seconds < 5 ? 2 : 1
}

async function time(task: Timed): Promise<number> {
  await task.select?.()
  const start = performance.now()
  await task.run()
  return (performance.now() - start) / 1000
}

/** The best of benny's samples, each the mean of as many runs as fill 20 ms. */
async function byBenny(name: string, task: Timed, seconds: number): Promise<{ seconds: number; samples: number }> {
  await task.select?.()
  let failure: unknown
  // benny waits for ever on a promise that rejects.
  const guarded = (): unknown => {
    const result = task.run()
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      failure = error
    })
  }
  const options = { minTime: 0.02, maxTime: seconds, minSamples: 3, delay: 0 }
  const summary = await quietly(() =>
    suite(
      name,
      add(name, () => guarded, options),
    ),
  )
  if (failure !== undefined) throw failure
  const [found] = summary.results
  if (found === undefined || found.samples === 0) throw new Error('benny took no sample')
  return { seconds: found.details.min / (task.per ?? 1), samples: found.samples }
}

/** benny announces every suite on the console; hundreds of one-line suites run here. */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const log = console.log
  console.log = () => {}
  try {
    return await run()
  } finally {
    console.log = log
  }
}
