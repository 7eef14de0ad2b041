// Where rows of numbers were images: PyTorch flattens channel by channel, and we pixel by pixel.

import type { Module, Output } from '../layers/module.js'
import type { Shape } from '../layers/shape.js'
import type { Graph } from '../models/graph.js'
import { Model } from '../models/model.js'

/** `[height, width, channels]` of the image that a row of numbers was; 'several' where images were joined in one row. */
export type FlatImage = readonly [number, number, number] | 'several' | undefined

/** Layers that put out features in the order in which they come in. */
const keeping = new Set(['activation', 'add', 'batchNorm', 'dropout', 'layerNorm', 'leakyRelu'])

/** For each layer in `graph` what the rows that it gets were, if they were images. */
export function flattenedImages(graph: Graph): ReadonlyMap<Module<Output>, FlatImage> {
  const found = new Map<Module<Output>, FlatImage>()
  trace(
    graph,
    graph.inputs.map(() => undefined),
    found,
  )
  return found
}

/** Notes what each layer gets, and returns what the graph puts out for `inputs`. */
function trace(graph: Graph, inputs: readonly FlatImage[], found: Map<Module<Output>, FlatImage>): FlatImage[] {
  const at: FlatImage[] = [...inputs]
  for (const { module, inputs: from, outputs } of graph.steps) {
    const before = from.map((place) => at[place])
    const own = joined(before)
    found.set(module, found.has(module) && !same(found.get(module), own) ? 'several' : own)
    const inner = module instanceof Model ? module.$graph : undefined
    const after =
      inner === undefined ? [behind(module, graph.symbols[from[0]!]!.shape, before)] : trace(inner, before, found)
    for (const [i, place] of outputs.entries()) if (place >= graph.inputs.length) at[place] = after[i]
  }
  return graph.results.map((place) => at[place])
}

function behind(module: Module<Output>, shape: Shape, before: readonly FlatImage[]): FlatImage {
  const { kind } = module
  if (keeping.has(kind)) return joined(before)
  if (kind === 'concatenate') return before.some((image) => image !== undefined) ? 'several' : undefined
  if (kind !== 'flatten' && kind !== 'reshape') return undefined
  const out = module.$infer(shape) as Shape
  const [, height, width, channels] = shape
  if (shape.length !== 4 || out.length !== 2 || !height || !width || !channels) return undefined
  // Both orders are the same.
  return height * width === 1 || channels === 1 ? undefined : [height, width, channels]
}

function joined(images: readonly FlatImage[]): FlatImage {
  return images.every((image) => same(image, images[0])) ? images[0] : 'several'
}

function same(a: FlatImage, b: FlatImage): boolean {
  return String(a) === String(b)
}
