// Weights that PyTorch has saved into a model.

import { noGrad } from '../autograd/record.js'
import { FormatError, show, typeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { type FileTensor, TensorFile } from '../io/tensor-file.js'
import type { Module, Output } from '../layers/module.js'
import type { Model } from '../models/model.js'
import { cast } from '../ops/index.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { PyTorchNames } from './pytorch-names.js'
import { checkModel, type PyTorchWeight, type PyTorchWeights, pyTorchWeights } from './pytorch-weights.js'

export interface LoadPyTorchOptions {
  /**
   * What layers are called in PyTorch, by their paths in the model, where it is another name than torchvision's or the
   * path itself: `{ dense_1: 'fc1' }`, or a function.
   */
  names?: PyTorchNames
  /** Layers that keep the weights they have, such as a last layer for other classes: `['head']`. */
  skip?: readonly string[]
  /** Refuse a file of more bytes than this. Default: what there is memory for. */
  maxBytes?: number
}

/** Tensors that are named in a message. */
const NAMED = 20

/**
 * Puts the weights of a PyTorch `state_dict`, saved with `safetensors`, into `model`: by name, each turned into the layout
 * used here, in place. Names are those of torchvision for `models.alexNet` with `columns: 1`, `vgg11`, `vgg16`, `vgg19`,
 * `resNet18`, `resNet34` and `resNet50`; for other models the paths of the layers, with dots: `encoder/dense_1` has `encoder.dense_1.weight`.
 *
 * | layer | in PyTorch | here |
 * | --- | --- | --- |
 * | convolution | weight `[out, in / groups, kH, kW]` | kernel `[kH, kW, in / groups, out]` |
 * | transposed convolution | weight `[in, out, kH, kW]` | kernel `[kH, kW, in, out]` |
 * | dense | weight `[out, in]` | kernel `[in, out]` |
 * | dense behind flatten | `in` runs over channel, row, column | row, column, channel |
 * | batchNorm | weight, bias, running_mean, running_var | gamma, beta, mean, variance |
 * | layerNorm, embedding | weight, bias | gamma, beta, embeddings |
 *
 * Either all weights are loaded or none. `num_batches_tracked` is left out. The file is checked as `loadTensors` does it;
 * F16, BF16 and F64 become what the model is made of. Throws a {@link FormatError} that lists the weights which are
 * missing, which are in the file alone and which have other shapes. Images must be prepared as for PyTorch:
 * torchvision's weights expect (x − mean) / std with means 0.485, 0.456, 0.406 and deviations 0.229, 0.224, 0.225.
 *
 * In Python: `safetensors.torch.save_file(torchvision.models.resnet18(weights='DEFAULT').state_dict(), path)`.
 *
 * @example
 * ```ts
 * import { layers, loadPyTorchWeights, saveTensors, sequential, tensor } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const path = `${tmpdir()}/pytorch-${process.pid}.safetensors`
 * await saveTensors(path, { 'fc.weight': tensor([[1, 2, 3]]), 'fc.bias': tensor([4]) })
 * const model = sequential({ inputShape: [3], layers: [layers.dense({ name: 'fc', units: 1 })] })
 * await loadPyTorchWeights(model, path)
 * console.log(await model.forward(tensor([[1, 1, 1]])).array()) // [ [ 10 ] ]
 * ```
 */
export async function loadPyTorchWeights(
  model: Model | Model<Tensor[]>,
  path: FilePath,
  options: LoadPyTorchOptions = {},
): Promise<void> {
  const label = 'loadPyTorchWeights'
  checkModel(label, model)
  const absolute = checkPath(label, path)
  checkOptions(label, options, ['names', 'skip', 'maxBytes'])
  const { names, skip = [], maxBytes } = options
  if (!Array.isArray(skip)) throw typeError(`${label}: skip must be an array of names of layers. got ${show(skip)}`)
  if (maxBytes !== undefined) checkNumber(label, 'maxBytes', maxBytes, 0)
  const op = `${label} ${show(String(path))}`
  const all = pyTorchWeights(op, model, names, skip)
  const file = await TensorFile.open(op, absolute, maxBytes)
  try {
    const tensors = await file.read(matched(op, model, all, file.tensors))
    try {
      noGrad(() => {
        for (const weight of all.weights) assign(weight, tensors)
      })
    } finally {
      for (const tensor of tensors.values()) tensor.dispose()
    }
  } finally {
    await file.close()
  }
}

function assign({ name, variable, read }: PyTorchWeight, tensors: ReadonlyMap<string, Tensor>): void {
  const tensor = tensors.get(name)!
  // So that no more than one is in memory twice.
  scope(() => variable.assign(cast(read(tensor), { dtype: variable.dtype })))
  tensor.dispose()
}

/** The tensors of the file that are wanted, in the order of the file. */
function matched(
  op: string,
  model: Module<Output>,
  { weights, skipped }: PyTorchWeights,
  tensors: readonly FileTensor[],
): FileTensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const wanted = new Set(weights.map(({ name }) => name))
  const left = (name: string) =>
    /(^|\.)num_batches_tracked$/.test(name) || skipped.some((layer) => name.startsWith(`${layer}.`))
  const missing = weights.filter(({ name }) => !byName.has(name))
  const unknown = tensors.filter(({ name }) => !wanted.has(name) && !left(name))
  const different = weights.flatMap((weight) => {
    const found = byName.get(weight.name)
    if (found === undefined || (sameShape(found.shape, weight.shape) && isFloat(found.dtype.dtype))) return []
    const theirs = isFloat(found.dtype.dtype)
      ? showShape(found.shape)
      : `${found.dtype.dtype} ${showShape(found.shape)}`
    return `${show(weight.name)} is ${theirs} and should be ${showShape(weight.shape)} for layer ${show(weight.layer)}`
  })
  const problems = [
    ...problem(
      'the file does not have',
      missing.map(({ name, layer }) => `${show(name)} for layer ${show(layer)}`),
    ),
    ...problem(
      'the model does not have',
      unknown.map(({ name, shape }) => `${show(name)} ${showShape(shape)}`),
    ),
    ...problem('of another shape or kind:', different),
  ]
  if (problems.length === 0) return tensors.filter(({ name }) => wanted.has(name))
  const first = byName.get('features.0.weight')?.shape
  const way =
    first !== undefined && sameShape(first, [64, 3, 11, 11]) && wanted.has('classifier.4.weight')
      ? "this is torchvision's AlexNet, with other numbers of filters. make the model with columns: 1"
      : 'names and skip say what belongs together'
  throw new FormatError(`${op}: the weights are not those of ${model.$label}. ${problems.join('. ')}. ${way}`)
}

function problem(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return []
  const more = items.length > NAMED ? ` and ${items.length - NAMED} more` : ''
  return [`${what} ${items.slice(0, NAMED).join(', ')}${more}`]
}
