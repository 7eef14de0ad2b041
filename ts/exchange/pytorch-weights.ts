// The weights of a model as PyTorch names and arranges them.

import { rangeError, show, typeError } from '../errors.js'
import { listed } from '../initializers/options.js'
import type { Module, Output } from '../layers/module.js'
import { Model } from '../models/model.js'
import { reshape, transpose } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { type FlatImage, flattenedImages } from './flattened-images.js'
import { type PyTorchNames, pyTorchNames } from './pytorch-names.js'

/** One weight. */
export interface PyTorchWeight {
  /** The path of its layer. */
  readonly layer: string
  readonly variable: Variable
  /** Its name in a state_dict. */
  readonly name: string
  /** Its shape there. */
  readonly shape: readonly number[]
  /** In our shape from theirs. */
  read(x: Tensor): Tensor
  /** In their shape from ours. */
  write(x: Tensor): Tensor
}

/** Our weight seen with the shape `view`, its axes put into the order `axes`, is theirs but for its shape. */
interface Layout {
  readonly suffix: string
  readonly view: readonly number[]
  readonly axes: readonly number[]
}

type Arrange = (shape: readonly number[], image: Exclude<FlatImage, 'several'>) => Omit<Layout, 'suffix'>

const plain: Arrange = (shape) => ({ view: shape, axes: [...shape.keys()] })
const convolution: Arrange = (view) => ({ view, axes: [3, 2, 0, 1] })
const transposed: Arrange = (view) => ({ view, axes: [2, 3, 0, 1] })
const dense: Arrange = (shape, image) =>
  image === undefined ? { view: shape, axes: [1, 0] } : { view: [...image, shape[1]!], axes: [3, 2, 0, 1] }
const features: Arrange = (shape, image) =>
  image === undefined ? plain(shape, image) : { view: image, axes: [2, 0, 1] }

/** By kind and weight: its name in PyTorch, and how it is arranged. */
const arranged: Readonly<Record<string, Readonly<Record<string, readonly [string, Arrange]>>>> = {
  conv2d: { kernel: ['weight', convolution], bias: ['bias', plain] },
  depthwiseConv2d: { kernel: ['weight', convolution], bias: ['bias', plain] },
  convTranspose2d: { kernel: ['weight', transposed], bias: ['bias', plain] },
  dense: { kernel: ['weight', dense], bias: ['bias', plain] },
  embedding: { embeddings: ['weight', plain] },
  layerNorm: { gamma: ['weight', features], beta: ['bias', features] },
  batchNorm: {
    gamma: ['weight', features],
    beta: ['bias', features],
    mean: ['running_mean', features],
    variance: ['running_var', features],
  },
}

/** The weights of a model in their order. */
export interface PyTorchWeights {
  readonly weights: readonly PyTorchWeight[]
  /** What the layers that are left out are called. */
  readonly skipped: readonly string[]
}

/** All weights of `model` but those of the layers in `skip`. */
export function pyTorchWeights(
  op: string,
  model: Model<Output>,
  names: PyTorchNames | undefined,
  skip: readonly string[] = [],
): PyTorchWeights {
  const graph = model.$graph
  if (graph === undefined) {
    throw typeError(`${op}: ${model.$label} has no weights yet: the shape of its input is unknown. give it inputShape`)
  }
  const images = flattenedImages(graph)
  const layers = [...model.$namedModules()].filter(([, module]) => module.$ownWeights().length > 0)
  const paths = layers.map(([path]) => path)
  const nameOf = pyTorchNames(op, paths, names)
  const unknown = skip.find((layer) => !paths.includes(layer))
  if (unknown !== undefined) {
    throw rangeError(`${op}: skip has ${show(unknown)}, but the layers with weights are ${listed(paths)}`)
  }
  const weights = layers
    .filter(([path]) => !skip.includes(path))
    .flatMap(([path, module]) => weightsOf(op, path, module, nameOf(path), images.get(module)))
  const seen = new Map<string, string>()
  for (const { name, layer } of weights) {
    const other = seen.get(name)
    if (other !== undefined) {
      throw rangeError(
        `${op}: layers ${show(other)} and ${show(layer)} have one name in PyTorch: ${show(name)}. set names`,
      )
    }
    seen.set(name, layer)
  }
  return { weights, skipped: skip.map(nameOf) }
}

function weightsOf(
  op: string,
  layer: string,
  module: Module<Output>,
  prefix: string,
  image: FlatImage,
): PyTorchWeight[] {
  const known = arranged[module.kind]
  return module.$ownWeights().map(({ key, variable }) => {
    const [suffix, arrange] = known?.[key] ?? []
    if (suffix === undefined || arrange === undefined) {
      throw typeError(
        `${op}: ${module.$label} has a weight ${show(key)}, and there is no such layer in PyTorch. weights are exchanged for ${listed(Object.keys(arranged))}`,
      )
    }
    if (image === 'several' && (arrange === dense || arrange === features)) {
      throw typeError(
        `${op}: ${module.$label} gets features of several images, which PyTorch joins in another order. put a layer with weights between flatten and concatenate, or join before flatten`,
      )
    }
    const flat = image === 'several' ? undefined : image
    return {
      layer,
      variable,
      name: prefix === '' ? suffix : `${prefix}.${suffix}`,
      ...turns(variable.shape, arrange(variable.shape, flat), arrange),
    }
  })
}

/** From one arrangement to the other. What is the same in both, a vector, is handed on. */
function turns(ours: readonly number[], { view, axes }: Omit<Layout, 'suffix'>, arrange: Arrange) {
  if (axes.every((axis, i) => axis === i)) return { shape: ours, read: (x: Tensor) => x, write: (x: Tensor) => x }
  const turned = axes.map((axis) => view[axis]!)
  const back = axes.map((_, axis) => axes.indexOf(axis))
  // Units first, what was an image in one row; a row of features in one row.
  const flat = arrange === dense && view.length === 4 ? [turned[0]!, ours[0]!] : arrange === features ? ours : turned
  return {
    shape: flat,
    read: (x: Tensor) => reshape(transpose(reshape(x, turned), back), [...ours]),
    write: (x: Tensor) => reshape(transpose(reshape(x, [...view]), [...axes]), [...flat]),
  }
}

/** Throws unless `model` is a model. */
export function checkModel(op: string, model: unknown): asserts model is Model<Output> {
  if (!(model instanceof Model)) throw typeError(`${op}: model must be a model. got ${show(model)}`)
}
