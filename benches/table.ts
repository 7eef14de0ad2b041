// The results as text: ratios first, because absolute times belong to one machine and one hour.

import type { Measurement } from './harness.js'
import type { Job } from './jobs.js'

export interface JobResult {
  job: Job
  measurements: Measurement[]
  /** GFLOP/s of pure multiply-adds, measured beside this job. */
  peak?: number
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

function rate(job: Job, seconds: number, peak: number | undefined): string {
  if (job.flops !== undefined) {
    const gflops = job.flops / seconds / 1e9
    const share = peak === undefined ? '' : ` (${Math.round((100 * gflops) / peak)} % of peak)`
    return `${Number(gflops.toPrecision(3))} GFLOP/s${share}`
  }
  if (job.bytes !== undefined) return `${Number((job.bytes / seconds / 1e9).toPrecision(3))} GB/s`
  return ''
}

/** One block a job: each peer's time as a multiple of ferrograd's, then the times and rates. */
export function showJob(result: JobResult): string {
  const lines = [result.job.title]
  const width = Math.max(...result.measurements.map((m) => m.peer.length))
  for (const m of result.measurements) {
    const name = m.peer.padEnd(width)
    if (m.seconds === undefined) {
      lines.push(`  ${name}  –          ${m.cannot}`)
      continue
    }
    const times = ratio(result, m.peer)
    const relative = m.peer === own ? '1×' : times === undefined ? '' : showRatio(times)
    const remarks = [m.variant, m.samples === 1 ? '1 run' : undefined].filter((word) => word !== undefined)
    lines.push(
      [
        `  ${name}`,
        relative.padEnd(9),
        showSeconds(m.seconds).padEnd(9),
        rate(result.job, m.seconds, result.peak),
        remarks.length === 0 ? '' : `[${remarks.join(', ')}]`,
      ]
        .join('  ')
        .trimEnd(),
    )
  }
  return lines.join('\n')
}

/** The overview: a row a job, a column a peer, each cell how many times as long as ferrograd it takes. */
export function showRatios(results: readonly JobResult[], peers: readonly string[]): string {
  const others = peers.filter((peer) => peer !== own)
  const header = ['job', own, ...others]
  const rows = results.map((result) => {
    const mine = result.measurements.find((m) => m.peer === own)?.seconds
    return [
      result.job.title,
      mine === undefined ? '–' : showSeconds(mine),
      ...others.map((peer) => {
        const times = ratio(result, peer)
        return times === undefined ? '–' : showRatio(times)
      }),
    ]
  })
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)))
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(header), ...rows.map(line)].join('\n')
}
