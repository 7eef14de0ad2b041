// The weights of a model for PyTorch.

import { noGrad } from '../autograd/record.js'
import { show } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import { Snapshot } from '../io/encode.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { replaceFile } from '../io/replace-file.js'
import type { Model } from '../models/model.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { PyTorchNames } from './pytorch-names.js'
import { checkModel, pyTorchWeights } from './pytorch-weights.js'

export interface SavePyTorchOptions {
  /** What layers are to be called in PyTorch, by their paths in the model. Default as for `loadPyTorchWeights`. */
  names?: PyTorchNames
}

/**
 * Writes the weights of `model` as a PyTorch `state_dict` into a safetensors file: the other way of
 * `loadPyTorchWeights`, with the same names and layouts, to the last bit. In Python
 * `torchvision.models.resnet18().load_state_dict(safetensors.torch.load_file(path))` takes what `models.resNet18` has
 * learnt.
 *
 * The file is replaced whole or not at all. While the call prepares it, the weights are in memory twice.
 *
 * @example
 * ```ts
 * import { layers, loadTensors, savePyTorchWeights, sequential } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const path = `${tmpdir()}/for-pytorch-${process.pid}.safetensors`
 * const model = sequential({ inputShape: [8, 8, 3], layers: [layers.conv2d({ name: 'conv1', filters: 4, kernelSize: 5 })] })
 * await savePyTorchWeights(model, path)
 * console.log((await loadTensors(path))['conv1.weight']!.shape) // [ 4, 3, 5, 5 ]
 * ```
 */
export async function savePyTorchWeights(
  model: Model | Model<Tensor[]>,
  path: FilePath,
  options: SavePyTorchOptions = {},
): Promise<void> {
  const label = 'savePyTorchWeights'
  checkModel(label, model)
  const absolute = checkPath(label, path)
  checkOptions(label, options, ['names'])
  const op = `${label} ${show(String(path))}`
  const { weights } = pyTorchWeights(op, model, options.names)
  const snapshot = scope(() => {
    const tensors = noGrad(() => weights.map(({ name, variable, write }) => [name, write(variable)] as const))
    return { made: new Snapshot(op, tensors, { metadata: { format: 'pt' } }) }
  }).made
  try {
    await replaceFile(op, absolute, () => snapshot.bytes())
  } finally {
    snapshot.dispose()
  }
}
