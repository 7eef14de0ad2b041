// Models that tf.js has saved.

import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FormatError, fileError, show } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { type WeightSource, withWeightsFrom } from '../layers/weight-source.js'
import type { Model } from '../models/model.js'
import { checkObject } from '../models/model-file.js'
import { cast } from '../ops/index.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { TfjsTopology } from './tfjs-topology.js'
import { checkManifest, readWeights } from './tfjs-weights.js'

export interface LoadTfjsOptions {
  /** Refuse weights of more bytes than this together. Default: what there is memory for. */
  maxBytes?: number
}

/** The longest model.json. */
const LONGEST = 100_000_000

/**
 * The Layers model that tf.js wrote with `model.save`, or its converter from a Keras model: `path` is its `model.json`, or the
 * folder that holds it, and the weights are in the files that it names there. Sequential and functional models, and
 * models inside models. The result is made of layers of this library, can be trained and saved like any other, and
 * computes what tf.js computes: a last `softmax` stays, so losses here, which take logits, need it cut off. It is not
 * compiled.
 *
 * Layers: Dense, Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose, MaxPooling2D, AveragePooling2D,
 * GlobalAveragePooling2D, GlobalMaxPooling2D, Flatten, Reshape, Activation, ReLU, LeakyReLU, ELU, Softmax,
 * BatchNormalization, LayerNormalization, Dropout, ZeroPadding2D, UpSampling2D, Embedding, Add, Concatenate. Weights are
 * float32, int32, uint8 and bool, also quantized to uint8, uint16 or float16. L1 and L2 penalties stay.
 *
 * Paths of weights must stay inside the folder, sizes must agree with shapes, and no code is run. Throws a
 * {@link FormatError} that names the layer and the option for what is not supported, such as channels_first, and for
 * what makes no sense.
 *
 * @example
 * ```ts
 * import { loadTfjsModel, tensor } from 'ferrograd'
 * import { mkdtemp, writeFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * const folder = await mkdtemp(`${tmpdir()}/tfjs-`)
 * const config = { name: 'sum', units: 1, use_bias: false, batch_input_shape: [null, 2] }
 * await writeFile(`${folder}/shard.bin`, new Float32Array([1, 1]))
 * await writeFile(`${folder}/model.json`, JSON.stringify({
 *   format: 'layers-model',
 *   modelTopology: { class_name: 'Sequential', config: { name: 'tiny', layers: [{ class_name: 'Dense', config }] } },
 *   weightsManifest: [{ paths: ['shard.bin'], weights: [{ name: 'sum/kernel', shape: [2, 1], dtype: 'float32' }] }],
 * }))
 * const model = await loadTfjsModel(folder)
 * console.log(await model.predict([[3, 4]]).then((y) => y.array())) // [ [ 7 ] ]
 * ```
 */
export async function loadTfjsModel(path: FilePath, options: LoadTfjsOptions = {}): Promise<Model> {
  const label = 'loadTfjsModel'
  const absolute = checkPath(label, path)
  checkOptions(label, options, ['maxBytes'])
  const { maxBytes = Infinity } = options
  if (options.maxBytes !== undefined) checkNumber(label, 'maxBytes', maxBytes, 0)
  const op = `${label} ${show(String(path))}`
  const { folder, file } = await readJson(op, absolute)
  const manifest = await checkManifest(op, folder, file.weightsManifest)
  const bytes = manifest.reduce((sum, { begin, end }) => sum + end - begin, 0)
  if (bytes > maxBytes) throw new FormatError(`${op}: the weights have ${bytes} bytes, more than maxBytes ${maxBytes}`)
  const weights = await readWeights(op, manifest)
  const topology = new TfjsTopology(op)
  try {
    const model = withWeightsFrom(takeFrom(topology, weights), () => topology.build(file.modelTopology))
    const [left] = weights.keys()
    if (left !== undefined) throw new FormatError(`${op}: the weight ${show(left)} belongs to no layer of the model`)
    return model as Model
  } catch (error) {
    for (const layer of topology.layers) layer.$reset()
    for (const tensor of weights.values()) tensor.dispose()
    throw error
  }
}

async function readJson(
  op: string,
  path: string,
): Promise<{ folder: string; file: Readonly<Record<string, unknown>> }> {
  let text: string
  let place = path
  try {
    if ((await stat(path)).isDirectory()) place = join(path, 'model.json')
    const found = await stat(place)
    if (!found.isFile()) throw new FormatError(`${op}: this is not a file`)
    if (found.size > LONGEST) {
      throw new FormatError(`${op}: model.json has ${found.size} bytes, and ${LONGEST} are allowed`)
    }
    text = await readFile(place, 'utf8')
  } catch (error) {
    throw error instanceof FormatError ? error : fileError(`${op}: model.json cannot be read`, error)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${op}: this is not JSON. ${(error as Error).message}`, { cause: error })
  }
  const file = checkObject(op, 'the file', parsed)
  if (file.format === 'graph-model') {
    throw new FormatError(
      `${op}: this is a graph model, made of TensorFlow's ops. convert the Keras model to a Layers model: --output_format tfjs_layers_model`,
    )
  }
  return { folder: dirname(place), file }
}

/** Gives weights their values, each once. */
function takeFrom(topology: TfjsTopology, weights: Map<string, Tensor>): WeightSource {
  return (path, shape, dtype) => {
    const { source, layer } = topology.sources.get(path)!
    const name = nameIn(weights, layer, source.name)
    if (name === undefined) throw new FormatError(`there is no weight "${layer}/${source.name}" in the file`)
    const tensor = weights.get(name)!
    const wanted = source.shape(shape)
    if (!sameShape(tensor.shape, wanted)) {
      throw new FormatError(
        `the weight ${show(name)} has shape ${showShape(tensor.shape)} in the file, and should have ${showShape(wanted)}`,
      )
    }
    weights.delete(name)
    const values = cast(source.read(tensor, shape), { dtype })
    tensor.dispose()
    return values
  }
}

/** The weight's name in the file: `layer/kernel`, or the only one like `outer/layer/kernel` or `layer/kernel_1`. */
function nameIn(weights: ReadonlyMap<string, Tensor>, layer: string, weight: string): string | undefined {
  const exact = `${layer}/${weight}`
  if (weights.has(exact)) return exact
  const like = [...weights.keys()].filter((name) => {
    const parts = name.split('/')
    return parts.at(-1)!.replace(/(_\d+)?(:0)?$/, '') === weight && parts.slice(0, -1).includes(layer)
  })
  return like.length === 1 ? like[0] : undefined
}
