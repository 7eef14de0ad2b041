// oneDNN by itself: a C++ program, built where there is a compiler and the library, that lives as long as the benchmark.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineProcess } from './line-process.js'
import type { StartPeer } from './peer.js'

// The source stays where it is; this file runs from dist/peers/.
const source = fileURLToPath(new URL('../../peers/onednn.cpp', import.meta.url))

/** What onednn.cpp answers. */
interface Reply {
  version?: string
  seconds?: number
  variants?: Record<string, number>
  cannot?: string
}

/** Builds the program, once for each of its versions and of the library's places. Throws what the compiler says. */
function build(): string {
  const prefix = process.env.FERROGRAD_BENCH_ONEDNN ?? ''
  const key = createHash('sha256').update(readFileSync(source)).update(prefix).digest('hex').slice(0, 12)
  const program = fileURLToPath(new URL(`../onednn-${key}`, import.meta.url))
  if (existsSync(program)) return program
  const place = prefix === '' ? [] : [`-I${prefix}/include`, `-L${prefix}/lib`, `-Wl,-rpath,${prefix}/lib`]
  const options = ['-O2', '-std=c++17', 'onednn.cpp', ...place, '-ldnnl', '-o', program]
  execFileSync('g++', options, { cwd: dirname(source), stdio: 'pipe' })
  return program
}

function whyNot(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer; message: string }
  const lines = (stderr?.toString() || message).split('\n')
  return lines.find((line) => line.includes('error')) ?? lines[0]!
}

export const startOneDnn: StartPeer = async ({ threads }) => {
  const name = 'oneDNN'
  let library: LineProcess<Reply>
  let version: string
  try {
    library = new LineProcess<Reply>(build(), [], { ...process.env, OMP_NUM_THREADS: String(threads) })
    version = (await library.next()).version!
  } catch (error) {
    const ways =
      'set FERROGRAD_BENCH_ONEDNN to a folder with include/oneapi/dnnl and lib/libdnnl.so of version 3 or newer'
    return { name, missing: `g++ cannot build with it (${whyNot(error)}); ${ways}` }
  }
  return {
    name,
    version,
    threads,
    async prepare(job) {
      const { cannot } = await library.ask({ prepare: job.name, work: job.work })
      if (cannot !== undefined) return { cannot }
      return {
        sample: async (budget) => {
          const { seconds, variants = {}, cannot } = await library.ask({ sample: job.name, seconds: budget })
          if (seconds === undefined) throw new Error(cannot)
          return { seconds, ...(Object.keys(variants).length > 1 && { variants }) }
        },
      }
    },
    release: async (job) => {
      await library.ask({ release: job.name })
    },
    close: () => library.stop(),
  }
}
