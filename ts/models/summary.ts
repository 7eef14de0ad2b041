// A model as a table.

import { showAlgorithms } from '../layers/algorithms.js'
import type { Module, Output } from '../layers/module.js'
import { exampleSize, type Shape, showFree } from '../layers/shape.js'
import { bytesPerElement } from '../tensor/dtype.js'
import type { Graph, Step } from './graph.js'
import type { Model } from './model.js'

export interface SummaryOptions {
  /**
   * Whether the column "algorithm" says what convolutions of a single example run by: one name, or three where they differ,
   * for the forward pass, the gradient of the input and that of the weight. Small images in a batch may have larger tiles.
   * Default false.
   *
   * - `winograd4`, `winograd2`: the Winograd algorithm on tiles of 4 × 4 or 2 × 2 outputs. Windows of 3 × 3 have both, of
   *   5 × 5 the second.
   * - `direct`: sums over the window. `thin`: the same turned round, for few filters or channels. `depthwise`: for each
   *   channel alone. `product`: one matrix product, for the gradient of a large weight of 1 × 1.
   * - `bf16x3`, `bf16`: products of three or one pair of bfloat16 pieces, where `compile` was told that `precision` may be
   *   'high' or 'medium' and the processor has AMX; `bf16x6` if `FERROGRAD_AMX` says `always`.
   * - `winograd4 + direct`: part by the one and part by the other. Parts are the pixels that the steps of a stride tell
   *   apart, or the two convolutions of `separableConv2d`.
   * - `joined`: a max-pool that is computed in one pass with the convolution above it. The map between them is not written
   *   to memory, nor kept for the gradient. That is said of batches of 32; small batches on many threads go in two passes.
   * - `by size`: height or width is free, so it is chosen for each batch. `reference`: float64, computed by plain loops.
   *
   * `FERROGRAD_CONV` in the environment changes the choice. A model inside another has one row, without an algorithm:
   * its own summary says more.
   */
  explain?: boolean
}

/** Columns of text to the left, columns of numbers to the right, then what is not always shown. */
interface Row {
  readonly texts: readonly string[]
  readonly numbers: readonly string[]
  readonly algorithm: string
  /** Where the layer looks. */
  readonly from: string
}

/** Sums over all rows, for one example; undefined where sizes are free. */
interface Totals {
  flops: number
  /** Whether some layer did not say how many. */
  moreFlops: boolean
  activations: number | undefined
  /** What the forward pass keeps for the backward pass. */
  kept: number | undefined
}

/** Prints a line for each call of a layer, then totals. */
export function printSummary(
  model: Model<Output>,
  graph: Graph,
  print: (line: string) => void,
  explain: boolean,
): void {
  const shapes = graph.symbols.map((symbol) => symbol.shape)
  const makers = graph.inputs.map((x, i) => x.name ?? inputName(graph, i))
  const rows: Row[] = [title, ...graph.inputs.map(({ shape }, i) => inputRow(makers[i]!, shape))]
  const images = graph.inputs.reduce<number | undefined>((sum, x) => plus(sum, exampleSize(x.shape)), 0)
  const totals: Totals = { flops: 0, moreFlops: false, activations: images, kept: images }
  const seen = new Set<Module<Output>>()
  for (const [i, step] of graph.steps.entries()) {
    rows.push(stepRow(step, graph.steps[i - 1], shapes, makers, seen, totals, explain))
    seen.add(step.module)
    for (const place of step.outputs) makers[place] = step.module.name
  }
  const extras = (['algorithm', 'from'] as const).filter((name) => (name === 'from' ? !isRow(graph) : explain))
  printTable(model.$label, rows, extras, print)
  printTotals(model, totals, print)
}

const title: Row = {
  texts: ['layer (kind)', 'output shape'],
  numbers: ['activations', 'parameters', 'FLOPs'],
  algorithm: 'algorithm',
  from: 'from',
}

function inputName(graph: Graph, i: number): string {
  return graph.inputs.length === 1 ? 'input' : `input_${i + 1}`
}

function inputRow(name: string, shape: Shape): Row {
  return { texts: [name, showFree(shape)], numbers: [counted(exampleSize(shape)), '', ''], algorithm: '', from: '' }
}

/** The row of a call, whose figures go into `totals`. */
function stepRow(
  step: Step,
  below: Step | undefined,
  shapes: readonly Shape[],
  makers: readonly string[],
  seen: ReadonlySet<Module<Output>>,
  totals: Totals,
  explain: boolean,
): Row {
  const { module, inputs, outputs, reader } = step
  const x = shapesInto(step, shapes)
  const flops = module.flops(x)
  const volume = module.$volume(x)
  if (flops === undefined) totals.moreFlops = true
  totals.flops += flops ?? 0
  totals.activations = plus(totals.activations, volume)
  totals.kept = plus(totals.kept, reader?.module.$joins(module, x) ? 0 : module.$kept(x))
  return {
    texts: [`${module.name} (${module.kind})`, outputs.map((place) => showFree(shapes[place]!)).join(' ')],
    numbers: [counted(volume), seen.has(module) ? 'shared' : grouped(module.countParams()), counted(flops)],
    algorithm: explain ? algorithmOf(step, below, shapes) : '',
    from: inputs.map((place) => makers[place]!).join(', '),
  }
}

function shapesInto({ inputs, list }: Step, shapes: readonly Shape[]): Shape | readonly Shape[] {
  return list ? inputs.map((place) => shapes[place]!) : shapes[inputs[0]!]!
}

function algorithmOf(step: Step, below: Step | undefined, shapes: readonly Shape[]): string {
  const joined = below?.reader === step && step.module.$joins(below.module, shapesInto(below, shapes))
  return joined ? 'joined' : showAlgorithms(step.module.$algorithms(shapesInto(step, shapes)))
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

/** Whether each step reads just what the step before made, so that it need not be said. */
function isRow(graph: Graph): boolean {
  return graph.steps.every(({ inputs, outputs }, i) => {
    const before = i === 0 ? [0] : graph.steps[i - 1]!.outputs
    return inputs.length === 1 && outputs.length === 1 && before.length === 1 && inputs[0] === before[0]
  })
}

function printTable(
  label: string,
  rows: readonly Row[],
  extras: readonly ('algorithm' | 'from')[],
  print: (line: string) => void,
): void {
  const widths = (column: 'texts' | 'numbers') =>
    title[column].map((_, i) => Math.max(...rows.map((row) => row[column][i]!.length)))
  const [texts, numbers] = [widths('texts'), widths('numbers')]
  print(label)
  for (const row of rows) {
    const cells = [
      ...row.texts.map((cell, i) => cell.padEnd(texts[i]!)),
      ...row.numbers.map((cell, i) => cell.padStart(numbers[i]!)),
    ]
    for (const name of extras) cells.push(row[name].padEnd(Math.max(...rows.map((other) => other[name].length))))
    print(`  ${cells.join('  ').trimEnd()}`)
  }
}

function printTotals(
  model: Model<Output>,
  { flops, moreFlops, activations, kept }: Totals,
  print: (line: string) => void,
): void {
  const all = model.countParams()
  const learning = model.trainableWeights.reduce((sum, { size }) => sum + size, 0)
  const bytes = bytesPerElement[model.dtype]
  print(
    `parameters: ${grouped(all)} (${memory(all * bytes)}), ${grouped(learning)} trainable, ${grouped(all - learning)} frozen`,
  )
  const volumes =
    activations === undefined
      ? 'an unknown number'
      : `${grouped(activations)} (${memory(activations * bytes)}, ${memory(2 * activations * bytes)} with their gradients)`
  print(`activations: ${volumes} for each example`)
  print(`forward: ${moreFlops ? 'at least ' : ''}${grouped(flops)} FLOPs for each example`)
  // Values, gradients and the two moments of adam.
  const weights = (3 * learning + all) * bytes
  // What the forward pass keeps, and as much again for the gradients that come back.
  const example = kept === undefined ? 'an unknown amount' : memory(2 * kept * bytes)
  print(
    `training memory: about ${memory(weights)} for weights, gradients and moments, and ${example} for each example of a batch`,
  )
}

function counted(n: number | undefined): string {
  return n === undefined ? '?' : grouped(n)
}

function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
}

function memory(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let power = 0
  let value = bytes
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000
    power++
  }
  return power === 0 ? `${value} B` : `${value.toPrecision(3)} ${units[power]}`
}
