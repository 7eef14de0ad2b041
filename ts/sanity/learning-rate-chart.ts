// A sweep over learning rates as a picture.

import type { Spec } from 'vega'
import type { LearningRateReport } from './learning-rate-report.js'
import { loadVega } from './vega.js'

const LOSS = '#08519c'
const SUGGESTED = '#2ca02c'
const EXPLODED = '#d62728'

/** @internal The losses against the rates, with lines at the suggestion and where the loss explodes. */
export async function drawRates(report: LearningRateReport): Promise<string> {
  const { parse, View } = await loadVega('learningRateRange: svg()')
  const view = new View(parse(specOf(report)), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

function specOf({ points, suggestion, divergence, verdict }: LearningRateReport): Spec {
  const finite = points.filter(({ loss }) => Number.isFinite(loss))
  const marks = [
    { rate: suggestion, label: 'suggested', color: SUGGESTED },
    { rate: divergence, label: 'explodes', color: EXPLODED },
  ].filter(({ rate }) => rate !== undefined)
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    width: 560,
    height: 320,
    padding: 12,
    background: 'white',
    title: {
      text: 'Loss while the learning rate rises',
      subtitle: verdict.split(/(?<=[.;]) /),
      anchor: 'start',
      offset: 26,
    },
    data: [
      { name: 'points', values: finite },
      { name: 'marks', values: marks },
      // One high loss must not flatten the rest.
      { name: 'kept', source: 'points', transform: [{ type: 'filter', expr: `datum.loss <= ${ceilingOf(finite)}` }] },
    ],
    scales: [
      {
        name: 'x',
        type: 'log',
        domain: {
          fields: [
            { data: 'points', field: 'learningRate' },
            { data: 'marks', field: 'rate' },
          ],
        },
        range: 'width',
      },
      {
        name: 'y',
        type: 'linear',
        domain: {
          data: 'kept',
          field: 'loss',
        },
        range: 'height',
        nice: true,
        zero: false,
      },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        title: 'learning rate',
        grid: true,
        gridOpacity: 0.4,
        tickCount: 7,
        format: '.0e',
      },
      { orient: 'left', scale: 'y', title: 'loss', grid: true, gridOpacity: 0.4, tickCount: 6 },
    ],
    marks: [line(), ruler(), rulerLabel()],
  }
}

type Mark = NonNullable<Spec['marks']>[number]

function line(): Mark {
  return {
    type: 'line',
    clip: true,
    from: { data: 'kept' },
    encode: {
      enter: {
        x: { scale: 'x', field: 'learningRate' },
        y: { scale: 'y', field: 'loss' },
        stroke: { value: LOSS },
        strokeWidth: { value: 2 },
      },
    },
  }
}

function ruler(): Mark {
  return {
    type: 'rule',
    from: { data: 'marks' },
    encode: {
      enter: {
        x: { scale: 'x', field: 'rate' },
        y: { value: 0 },
        y2: { signal: 'height' },
        stroke: { field: 'color' },
        strokeWidth: { value: 1.5 },
        strokeDash: { value: [5, 4] },
      },
    },
  }
}

function rulerLabel(): Mark {
  return {
    type: 'text',
    from: { data: 'marks' },
    encode: {
      enter: {
        x: { scale: 'x', field: 'rate' },
        y: { value: -6 },
        align: { value: 'center' },
        fill: { field: 'color' },
        text: { signal: "datum.label + ' ' + format(datum.rate, '.1e')" },
      },
    },
  }
}

/** Losses above this are left out of the picture: half again as high as where the training began. */
function ceilingOf(points: LearningRateReport['points']): number {
  const calm = points.slice(0, Math.max(1, Math.floor(points.length / 4))).map(({ loss }) => loss)
  return 1.5 * Math.max(...calm)
}
