// The results as one picture: time as a multiple of ferrograd's, on logarithmic scales, group by group.

import { type Mark, parse, type Spec, View } from 'vega'
import { type JobResult, ratio, showRatio } from './table.js'
import type { Group } from './work.js'

interface Dot {
  job: string
  peer: string
  times: number
  label: string
}

const rowHeight = 18
/** Of a group's name above its rows, and of the axis below. */
const space = { above: 26, below: 26 }

/** An SVG with a row for each job and a dot for each peer; right of the line, ferrograd is faster. */
export async function drawRatios(
  results: readonly JobResult[],
  peers: readonly string[],
  caption: string,
): Promise<string> {
  const others = peers.filter((peer) => peer !== 'ferrograd')
  const marks: Mark[] = []
  const data = []
  let top = 0
  for (const group of new Set(results.map(({ job }) => job.group))) {
    const dots = results.filter(({ job }) => job.group === group).flatMap((result) => dotsOf(result, others))
    const rows = [...new Set(dots.map(({ job }) => job))]
    if (rows.length === 0) continue
    data.push({ name: group, values: dots })
    top += space.above
    marks.push(panel(group, rows, top))
    top += rowHeight * rows.length + space.below
  }
  const spec: Spec = {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    width: 620,
    height: top,
    padding: 12,
    background: 'white',
    title: {
      text: 'Time as a multiple of ferrograd’s',
      subtitle: ['right of 1×, ferrograd is faster', caption],
      anchor: 'start',
      offset: 14,
    },
    data,
    scales: [{ name: 'peer', type: 'ordinal', domain: others, range: { scheme: 'tableau10' } }],
    legends: [{ fill: 'peer', orient: 'top', direction: 'horizontal', columns: 4 }],
    marks,
  }
  return new View(parse(spec), { renderer: 'none' }).toSVG()
}

function dotsOf(result: JobResult, peers: readonly string[]): Dot[] {
  return peers.flatMap((peer) => {
    const times = ratio(result, peer)
    return times === undefined ? [] : [{ job: result.job.title, peer, times, label: showRatio(times) }]
  })
}

function panel(group: Group, rows: readonly string[], top: number): Mark {
  const height = rowHeight * rows.length
  return {
    type: 'group',
    encode: { enter: { y: { value: top }, width: { signal: 'width' }, height: { value: height } } },
    // Grids are as high as this says: of the panel, not of the picture.
    signals: [{ name: 'height', value: height }],
    title: { text: group, anchor: 'start', frame: 'group', fontSize: 12, offset: 4 },
    scales: [
      { name: 'y', type: 'band', domain: [...rows], range: [0, height], padding: 0.2 },
      // 1× is always in view, whoever is faster.
      {
        name: 'x',
        type: 'log',
        domain: { fields: [{ data: group, field: 'times' }, [0.5, 2]] },
        range: 'width',
        nice: true,
        padding: 12,
      },
    ],
    axes: [
      { orient: 'left', scale: 'y', domain: false, ticks: false, labelLimit: 0, labelPadding: 8 },
      { orient: 'bottom', scale: 'x', grid: true, gridOpacity: 0.5, tickCount: 6, format: '~g' },
    ],
    marks: [
      {
        type: 'rule',
        encode: {
          enter: {
            x: { scale: 'x', value: 1 },
            y: { value: 0 },
            y2: { value: height },
            stroke: { value: '#333' },
            strokeWidth: { value: 1.5 },
          },
        },
      },
      {
        type: 'symbol',
        from: { data: group },
        encode: {
          enter: {
            x: { scale: 'x', field: 'times' },
            y: { scale: 'y', field: 'job', band: 0.5 },
            fill: { scale: 'peer', field: 'peer' },
            size: { value: 70 },
            tooltip: { field: 'label' },
          },
        },
      },
    ],
  }
}
