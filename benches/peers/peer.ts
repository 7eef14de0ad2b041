// What a library must offer to take part in the comparison.

/** The jobs, by name; jobs.ts says what each one is. */
export type JobName =
  | 'matmul-256'
  | 'matmul-512'
  | 'matmul-1024'
  | 'conv2d'
  | 'conv2d-backward'
  | 'relu'
  | 'batch-norm'
  | 'batch-norm-backward'
  | 'max-pool2d'
  | 'max-pool2d-backward'
  | 'mlp-step'
  | 'cnn-step-sgd'
  | 'cnn-step-adam'
  | 'cnn-inference'
  | 'vgg-step'
  | 'tiny-op'
  | 'start-up'

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
  sample: (seconds: number) => Promise<{ seconds: number; variant?: string }>
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
  prepare(job: JobName): Promise<Task>
  /** Frees what the job holds. */
  release?(job: JobName): void | Promise<void>
  close?(): void | Promise<void>
}

/** Starts a library, or says why it is not there. */
export type StartPeer = (options: PeerOptions) => Promise<Peer | { name: string; missing: string }>

/** `count` numbers in [-0.5, 0.5), the same every time: every peer computes on such data, none on zeros. */
export function fill(count: number, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  })
}

/** The class indices 0, 1, … 9, 0, 1, … of a batch. */
export function labels(batch: number, classes = 10): Int32Array {
  return Int32Array.from({ length: batch }, (_, i) => i % classes)
}

/** The version in a package's own package.json. */
export function versionOf(require: NodeJS.Require, name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version
}
