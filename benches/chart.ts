// The results as one picture: time as a multiple of ferrograd's, on a logarithmic scale.

import { parse, type Spec, View } from 'vega'
import { type JobResult, ratio, showRatio } from './table.js'

/** An SVG with a row for each job and a dot for each peer; right of the line, ferrograd is faster. */
export async function drawRatios(
  results: readonly JobResult[],
  peers: readonly string[],
  caption: string,
): Promise<string> {
  const others = peers.filter((peer) => peer !== 'ferrograd')
  const values = results.flatMap((result) =>
    others.flatMap((peer) => {
      const times = ratio(result, peer)
      return times === undefined ? [] : [{ job: result.job.title, peer, times, label: showRatio(times) }]
    }),
  )
  const jobs = results.map((result) => result.job.title).filter((title) => values.some((value) => value.job === title))
  const spec: Spec = {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    width: 620,
    height: 30 * jobs.length,
    padding: 12,
    background: 'white',
    title: {
      text: 'Time as a multiple of ferrograd’s',
      subtitle: ['right of 1×, ferrograd is faster', caption],
      anchor: 'start',
      offset: 14,
    },
    data: [{ name: 'ratios', values }],
    scales: [
      { name: 'y', type: 'band', domain: jobs, range: 'height', padding: 0.2 },
      { name: 'x', type: 'log', domain: { data: 'ratios', field: 'times' }, range: 'width', nice: true, padding: 12 },
      { name: 'peer', type: 'ordinal', domain: others, range: { scheme: 'tableau10' } },
    ],
    axes: [
      { orient: 'left', scale: 'y', domain: false, ticks: false, labelLimit: 420, labelPadding: 8 },
      { orient: 'bottom', scale: 'x', grid: true, gridOpacity: 0.5, tickCount: 6, format: '~g' },
    ],
    legends: [{ fill: 'peer', orient: 'bottom', direction: 'horizontal', columns: 4 }],
    marks: [
      {
        type: 'rule',
        encode: {
          enter: {
            x: { scale: 'x', value: 1 },
            y: { value: 0 },
            y2: { signal: 'height' },
            stroke: { value: '#333' },
            strokeWidth: { value: 1.5 },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: 'ratios' },
        encode: {
          enter: {
            x: { scale: 'x', field: 'times' },
            y: { scale: 'y', field: 'job', band: 0.5 },
            fill: { scale: 'peer', field: 'peer' },
            size: { value: 90 },
            tooltip: { field: 'label' },
          },
        },
      },
    ],
  }
  return new View(parse(spec), { renderer: 'none' }).toSVG()
}
