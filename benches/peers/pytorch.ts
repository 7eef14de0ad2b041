// PyTorch, in a Python process that lives as long as the benchmark does.

import { fileURLToPath } from 'node:url'
import { LineProcess } from './line-process.js'
import type { StartPeer } from './peer.js'

// The script stays beside its source; this file runs from dist/peers/.
const script = fileURLToPath(new URL('../../peers/pytorch.py', import.meta.url))

/** What pytorch.py answers; it says when. */
interface Reply {
  ok?: boolean
  version?: string
  seconds?: number
  variants?: Record<string, number>
  imported?: number
  peak?: number
  cannot?: string
}

/** The Python to ask: `FERROGRAD_BENCH_PYTHON`, or python3. */
export const pythonCommand = (): string => process.env.FERROGRAD_BENCH_PYTHON ?? 'python3'

/** A process of pytorch.py that is ready for questions. Rejects where there is no torch. */
export async function startPython(threads: number): Promise<{ python: LineProcess<Reply>; version: string }> {
  const python = new LineProcess<Reply>(pythonCommand(), ['-B', script], {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
  })
  try {
    return { python, version: (await python.next()).version ?? 'unknown' }
  } catch (error) {
    const why = (error as Error).message
    throw new Error(`${pythonCommand()} has no torch (${why}); set FERROGRAD_BENCH_PYTHON to one that has`)
  }
}

export const startPytorch: StartPeer = async ({ threads }) => {
  let started: Awaited<ReturnType<typeof startPython>>
  try {
    started = await startPython(threads)
  } catch (error) {
    return { name: 'PyTorch', missing: (error as Error).message }
  }
  const { python, version } = started
  return {
    name: 'PyTorch',
    version,
    threads,
    async prepare(job) {
      const { cannot } = await python.ask({ prepare: job.name, work: job.work, threads })
      if (cannot !== undefined) return { cannot }
      return {
        sample: async (budget) => {
          const { seconds, variants = {}, cannot } = await python.ask({ sample: job.name, seconds: budget })
          if (seconds === undefined) throw new Error(cannot)
          return { seconds, ...(Object.keys(variants).length > 1 && { variants }) }
        },
      }
    },
    release: async (job) => {
      await python.ask({ release: job.name })
    },
    close: () => python.stop(),
  }
}
