// PyTorch, in a Python process that lives as long as the benchmark does.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StartPeer } from './peer.js'

// The script stays beside its source; this file runs from dist/peers/.
const script = fileURLToPath(new URL('../../peers/pytorch.py', import.meta.url))

interface Reply {
  ok?: boolean
  version?: string
  seconds?: number
  variants?: Record<string, number>
  cannot?: string
}

/** A child that answers each line with one line, in order. */
class Python {
  private readonly waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = []
  private ended: Error | undefined
  private complaint = ''

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(JSON.parse(line)))
    child.stderr.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString()).slice(-2000)
    })
    child.on('error', (error) => this.end(error.message))
    child.on('close', () => this.end(this.complaint.trim().split('\n').at(-1) || 'the Python process ended'))
    child.stdin.on('error', () => {}) // 'close' tells why
  }

  next(): Promise<Reply> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  ask(request: object): Promise<Reply> {
    const reply = this.next()
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    return reply
  }

  stop(): void {
    this.child.stdin.end()
  }

  private end(why: string): void {
    this.ended ??= new Error(why)
    for (const { reject } of this.waiting.splice(0)) reject(this.ended)
  }
}

/** The Python to ask: `FERROGRAD_BENCH_PYTHON`, or python3. */
export const pythonCommand = (): string => process.env.FERROGRAD_BENCH_PYTHON ?? 'python3'

export const startPytorch: StartPeer = async ({ threads }) => {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) }
  const python = new Python(spawn(pythonCommand(), [script], { env }))
  let version: string
  try {
    version = (await python.next()).version ?? 'unknown'
  } catch (error) {
    return {
      name: 'PyTorch',
      missing: `${pythonCommand()} has no torch (${(error as Error).message}); set FERROGRAD_BENCH_PYTHON to one that has`,
    }
  }
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
