// A model as a table.

import type { Module, Output } from '../layers/module.js'
import { exampleSize, type Shape, showFree } from '../layers/shape.js'
import { bytesPerElement } from '../tensor/dtype.js'
import type { Graph } from './graph.js'
import type { Model } from './model.js'

interface Row {
  readonly name: string
  readonly shape: string
  readonly parameters: string
  readonly flops: string
  readonly from: string
}

/** Prints a line for each call of a layer, then totals. */
export function printSummary(model: Model<Output>, graph: Graph, print: (line: string) => void): void {
  const shapes = graph.symbols.map((symbol) => symbol.shape)
  const rows: Row[] = [title, ...graph.inputs.map((x, i) => inputRow(x.name ?? inputName(graph, i), x.shape))]
  const makers = graph.inputs.map((x, i) => x.name ?? inputName(graph, i))
  const counted = new Set<Module<Output>>()
  let kept = graph.inputs.reduce<number | undefined>((sum, x) => plus(sum, exampleSize(x.shape)), 0)
  let flops = 0
  let unknown = false
  for (const { module, inputs, outputs, list } of graph.steps) {
    const x = list ? inputs.map((place) => shapes[place]!) : shapes[inputs[0]!]!
    const cost = module.flops(x)
    if (cost === undefined) unknown = true
    flops += cost ?? 0
    kept = plus(kept, module.$kept(x))
    rows.push({
      name: `${module.name} (${module.kind})`,
      shape: outputs.map((place) => showFree(shapes[place]!)).join(' '),
      parameters: counted.has(module) ? 'shared' : grouped(module.countParams()),
      flops: cost === undefined ? '?' : grouped(cost),
      from: inputs.map((place) => makers[place]!).join(', '),
    })
    counted.add(module)
    for (const place of outputs) makers[place] = module.name
  }
  printTable(model.$label, rows, isRow(graph), print)
  printTotals(model, flops, unknown, kept, print)
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

const title: Row = {
  name: 'layer (kind)',
  shape: 'output shape',
  parameters: 'parameters',
  flops: 'FLOPs',
  from: 'from',
}

function inputName(graph: Graph, i: number): string {
  return graph.inputs.length === 1 ? 'input' : `input_${i + 1}`
}

function inputRow(name: string, shape: Shape): Row {
  return { name, shape: showFree(shape), parameters: '', flops: '', from: '' }
}

/** Whether each step reads just what the step before made, so that it need not be said. */
function isRow(graph: Graph): boolean {
  return graph.steps.every(({ inputs, outputs }, i) => {
    const before = i === 0 ? [0] : graph.steps[i - 1]!.outputs
    return inputs.length === 1 && outputs.length === 1 && before.length === 1 && inputs[0] === before[0]
  })
}

function printTable(label: string, rows: readonly Row[], inARow: boolean, print: (line: string) => void): void {
  const width = (key: keyof Row) => Math.max(...rows.map((row) => row[key].length))
  const [name, shape, parameters, flops] = (['name', 'shape', 'parameters', 'flops'] as const).map(width) as [
    number,
    number,
    number,
    number,
  ]
  print(label)
  for (const row of rows) {
    const cells = [
      row.name.padEnd(name),
      row.shape.padEnd(shape),
      row.parameters.padStart(parameters),
      row.flops.padStart(flops),
    ]
    if (!inARow) cells.push(row.from)
    print(`  ${cells.join('  ').trimEnd()}`)
  }
}

function printTotals(
  model: Model<Output>,
  flops: number,
  unknown: boolean,
  kept: number | undefined,
  print: (line: string) => void,
): void {
  const all = model.countParams()
  const learning = model.trainableWeights.reduce((sum, { size }) => sum + size, 0)
  const bytes = bytesPerElement[model.dtype]
  print(
    `parameters: ${grouped(all)} (${memory(all * bytes)}), ${grouped(learning)} trainable, ${grouped(all - learning)} frozen`,
  )
  print(`forward: ${unknown ? 'at least ' : ''}${grouped(flops)} FLOPs for each example`)
  // Values, gradients and the two moments of adam.
  const weights = (3 * learning + all) * bytes
  // What the forward pass keeps, and as much again for the gradients that come back.
  const example = kept === undefined ? 'an unknown amount' : memory(2 * kept * bytes)
  print(
    `training memory: about ${memory(weights)} for weights, gradients and moments, and ${example} for each example of a batch`,
  )
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
