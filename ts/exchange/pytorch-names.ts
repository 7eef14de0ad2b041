// What the layers of our models are called in torchvision.

import { rangeError, show, typeError } from '../errors.js'
import { listed } from '../initializers/options.js'

/** Names in PyTorch for layers of the model: an object with some of them, or a function for all. */
export type PyTorchNames = Readonly<Record<string, string>> | ((layer: string) => string)

/**
 * A function that gives the name in PyTorch of each of `layers`, which are paths such as `block1_conv1` and
 * `encoder/dense_1`: what `given` says; torchvision's name where the layers are those of a network of `models.*`; the path
 * with dots otherwise.
 */
export function pyTorchNames(
  op: string,
  layers: readonly string[],
  given: PyTorchNames | undefined,
): (layer: string) => string {
  const known = torchvisionNames(layers) ?? ((layer: string) => layer.replaceAll('/', '.'))
  if (given === undefined) return known
  if (typeof given === 'function') return (layer) => checkName(op, layer, given(layer))
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw typeError(`${op}: names must be an object or a function. got ${show(given)}`)
  }
  const wrong = Object.keys(given).find((layer) => !layers.includes(layer))
  if (wrong !== undefined) {
    throw rangeError(`${op}: names has ${show(wrong)}, but the layers with weights are ${listed(layers)}`)
  }
  return (layer) => checkName(op, layer, Object.hasOwn(given, layer) ? given[layer] : known(layer))
}

function checkName(op: string, layer: string, name: unknown): string {
  if (typeof name !== 'string')
    throw typeError(`${op}: the name for layer ${show(layer)} must be a string. got ${show(name)}`)
  return name
}

/** Undefined for a network that torchvision does not have. */
function torchvisionNames(layers: readonly string[]): ((layer: string) => string) | undefined {
  const has = (layer: string) => layers.includes(layer)
  if (has('block5_conv1') && layers.every((layer) => /^(block[1-5]_conv[1-4]|dense_[1-3])$/.test(layer))) {
    const names = vggNames(layers)
    return (layer) => names.get(layer)!
  }
  if (has('stem_conv') && has('head') && layers.every((layer) => resNetName(layer) !== undefined)) {
    return (layer) => resNetName(layer)!
  }
  const [convolutions, dense] = [5, 3]
  const alexNet = (layer: string) => /^(conv2d_[1-5]|dense_[1-3])$/.test(layer)
  if (layers.length === convolutions + dense && layers.every(alexNet)) return alexNetName
  return undefined
}

/** torchvision counts every convolution, activation and pooling of `features`, and every layer of `classifier`. */
function vggNames(layers: readonly string[]): Map<string, string> {
  const names = new Map<string, string>()
  let [features, block] = [0, '1']
  for (const layer of layers) {
    const at = /^block(\d)/.exec(layer)?.[1]
    if (at === undefined) {
      names.set(layer, `classifier.${3 * (Number(layer.at(-1)) - 1)}`)
      continue
    }
    if (at !== block) features++
    block = at
    names.set(layer, `features.${features}`)
    features += 2
  }
  return names
}

function resNetName(layer: string): string | undefined {
  const stem: Readonly<Record<string, string>> = { stem_conv: 'conv1', stem_norm: 'bn1', head: 'fc' }
  if (Object.hasOwn(stem, layer)) return stem[layer]
  const match = /^stage([1-4])_block([1-9]\d*)_([1-3]|shortcut)_(conv|norm)$/.exec(layer)
  if (match === null) return undefined
  const [, stage, block, part, kind] = match
  const name =
    part === 'shortcut' ? `downsample.${kind === 'conv' ? 0 : 1}` : `${kind === 'conv' ? 'conv' : 'bn'}${part}`
  return `layer${stage}.${Number(block) - 1}.${name}`
}

function alexNetName(layer: string): string {
  const number = Number(layer.at(-1)) - 1
  return layer.startsWith('conv2d') ? `features.${[0, 3, 6, 8, 10][number]}` : `classifier.${[1, 4, 6][number]}`
}
