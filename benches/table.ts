// The results as text: ratios first, because absolute times belong to one machine and one hour.

import type { Measurement } from './harness.js'
import type { Job } from './work.js'

export interface JobResult {
  job: Job
  measurements: Measurement[]
  /** GFLOP/s of pure multiply-adds, measured beside this job. */
  peak?: number
  /** GB/s of copying as many bytes, measured beside this job. */
  copy?: number
}

const own = 'ferrograd'

/** How many times as long as ferrograd a peer takes; above 1 ferrograd is faster. */
export function ratio(result: JobResult, peer: string): number | undefined {
  const mine = result.measurements.find((m) => m.peer === own)?.seconds
  const theirs = result.measurements.find((m) => m.peer === peer)?.seconds
  return mine === undefined || theirs === undefined ? undefined : theirs / mine
}

/** `1.23×` with three figures, as `0.0123×` and `1,230×` where need be. */
export function showRatio(value: number): string {
  if (value >= 100) return `${Math.round(value).toLocaleString('en')}×`
  return `${Number(value.toPrecision(value >= 10 ? 3 : value >= 1 ? 3 : 2))}×`
}

export function showSeconds(seconds: number): string {
  if (seconds < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`
  return `${Number(seconds.toPrecision(3))} s`
}

function rate({ job, peak, copy }: JobResult, seconds: number): string {
  if (job.flops !== undefined) return share(job.flops / seconds / 1e9, 'GFLOP/s', peak, 'peak')
  if (job.bytes !== undefined) return share(job.bytes / seconds / 1e9, 'GB/s', copy, 'copy bandwidth')
  return ''
}

function share(value: number, unit: string, limit: number | undefined, name: string): string {
  const part = limit === undefined ? '' : ` (${Math.round((100 * value) / limit)} % of ${name})`
  return `${Number(value.toPrecision(3))} ${unit}${part}`
}

/** `channels_last; contiguous 12.3 ms` */
function showVariants({ variant, variants = {} }: Measurement): string | undefined {
  if (variant === undefined) return undefined
  const others = Object.entries(variants).filter(([name]) => name !== variant)
  return [variant, ...others.map(([name, seconds]) => `${name} ${showSeconds(seconds)}`)].join('; ')
}

/** One block a job: each peer's time as a multiple of ferrograd's, then the times and rates. */
export function showJob(result: JobResult): string {
  const able = result.measurements.filter((m) => m.seconds !== undefined)
  const width = Math.max(...able.map((m) => m.peer.length))
  const lines = able.map((m) => {
    const times = ratio(result, m.peer)
    const relative = m.peer === own ? '1×' : times === undefined ? '' : showRatio(times)
    const remarks = [showVariants(m), m.samples === 1 ? '1 run' : undefined].filter((word) => word !== undefined)
    const cells = [
      `  ${m.peer.padEnd(width)}`,
      relative.padEnd(9),
      showSeconds(m.seconds!).padEnd(9),
      rate(result, m.seconds!),
      remarks.length === 0 ? '' : `[${remarks.join(', ')}]`,
    ]
    return cells.join('  ').trimEnd()
  })
  return [`${result.job.title}  (${result.job.name})`, ...lines, ...showUnable(result.measurements)].join('\n')
}

/** A line for each reason why some do not run the job. */
function showUnable(measurements: readonly Measurement[]): string[] {
  const reasons = new Set(measurements.flatMap(({ cannot }) => (cannot === undefined ? [] : [cannot])))
  return [...reasons].map((reason) => {
    const peers = measurements.filter(({ cannot }) => cannot === reason).map(({ peer }) => peer)
    return `  not ${peers.join(', ')}: ${reason}`
  })
}

/** The overview: a row a job, a column a peer, each cell how many times as long as ferrograd it takes. */
export function showRatios(results: readonly JobResult[], peers: readonly string[]): string {
  const others = peers.filter((peer) => peer !== own)
  const header = ['job', own, ...others]
  const row = (result: JobResult): string[] => {
    const mine = result.measurements.find((m) => m.peer === own)?.seconds
    const cells = others.map((peer) => {
      const times = ratio(result, peer)
      return times === undefined ? '–' : showRatio(times)
    })
    return [result.job.title, mine === undefined ? '–' : showSeconds(mine), ...cells]
  }
  const [head, ...lines] = showTable([header, ...results.map(row)]).split('\n')
  const grouped = results.flatMap(({ job }, i) =>
    job.group === results[i - 1]?.job.group ? [lines[i]!] : ['', job.group, lines[i]!],
  )
  return [head, ...grouped].join('\n')
}

/** Columns as text: the first to the left, the others to the right. */
export function showTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const pad = (cell: string, i: number): string => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}
