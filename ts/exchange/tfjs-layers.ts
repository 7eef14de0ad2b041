// The layers of tf.js that we have, by their class.

import { FormatError, show } from '../errors.js'
import * as layers from '../layers/index.js'
import type { Layer } from '../layers/layer.js'
import { reshape, transpose } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { TfjsConfig } from './tfjs-config.js'

/** Where a weight of ours is in a tf.js model. */
export interface TfjsSource {
  readonly name: string
  /** Its shape there, of ours. */
  readonly shape: (ours: readonly number[]) => readonly number[]
  /** In our arrangement, from theirs. */
  readonly read: (x: Tensor, ours: readonly number[]) => Tensor
}

/** A layer, and where its weights are by their paths within it. */
export interface TfjsLayer {
  readonly layer: Layer
  readonly label: string
  readonly sources: Readonly<Record<string, TfjsSource>>
  /** The axis that must turn out to be the last one. */
  readonly axis: number | undefined
}

interface Made {
  readonly layer: Layer
  readonly sources?: Readonly<Record<string, TfjsSource>>
  readonly axis?: number | undefined
}

type Recipe = (config: TfjsConfig) => Made

const plain = (name: string): TfjsSource => ({ name, shape: (ours) => ours, read: (x) => x })

/** `[kH, kW, C, multiplier]`, of which we make groups. */
const depthwise = (name: string, multiplier: number): TfjsSource => ({
  name,
  shape: ([height, width, , outputs]) => [height!, width!, outputs! / multiplier, multiplier],
  read: (x, ours) => reshape(x, [...ours]),
})

/** `[kH, kW, out, in]` */
const transposed = (name: string): TfjsSource => ({
  name,
  shape: ([height, width, inputs, outputs]) => [height!, width!, outputs!, inputs!],
  read: (x) => transpose(x, [0, 1, 3, 2]),
})

const kernelAndBias = { kernel: plain('kernel'), bias: plain('bias') }

/** What every layer takes. Values are checked by the layer. */
function common(config: TfjsConfig) {
  return { name: config.name, trainable: config.trainable }
}

function channelsLast(config: TfjsConfig): void {
  config.only('data_format', 'channels_last', undefined)
}

/** Options of a window. */
function sliding(config: TfjsConfig): object {
  channelsLast(config)
  config.only('padding', 'valid', 'same', undefined)
  return given({ strides: config.take('strides'), padding: config.take('padding') })
}

function kernelled(config: TfjsConfig, kernel = 'kernel'): object {
  return {
    ...common(config),
    ...given({ useBias: config.take('use_bias') }),
    activation: config.activation(),
    ...config.regularizer(`${kernel}_regularizer`, 'kernelRegularizer'),
    ...config.regularizer('bias_regularizer', 'biasRegularizer'),
  }
}

/** The options that are there. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function pooling(make: (options: object) => Layer): Recipe {
  return (config) => ({
    layer: make({ ...common(config), ...sliding(config), ...given({ poolSize: config.take('pool_size') }) }),
  })
}

function globalPooling(make: (options: object) => Layer): Recipe {
  return (config) => {
    channelsLast(config)
    config.only('keepdims', false, undefined)
    return { layer: make(common(config)) }
  }
}

const activation = (config: TfjsConfig, name: layers.ActivationName): Layer =>
  layers.activation({ ...common(config), activation: name })

function statistics(config: TfjsConfig): object {
  return given({ epsilon: config.take('epsilon'), center: config.take('center'), scale: config.take('scale') })
}

const recipes: Readonly<Record<string, Recipe>> = {
  Dense: (config) => ({
    layer: layers.dense({ ...kernelled(config), units: config.take('units')! }),
    sources: kernelAndBias,
  }),
  Conv2D: (config) => ({
    layer: layers.conv2d({
      ...kernelled(config),
      ...sliding(config),
      ...given({ dilationRate: config.take('dilation_rate'), groups: config.take('groups') }),
      filters: config.take('filters')!,
      kernelSize: config.take('kernel_size')!,
    }),
    sources: kernelAndBias,
  }),
  DepthwiseConv2D: (config) => {
    const depthMultiplier = config.take<number>('depth_multiplier') ?? 1
    const options = {
      ...kernelled(config, 'depthwise'),
      ...sliding(config),
      ...given({ dilationRate: config.take('dilation_rate') }),
    }
    const layer = layers.depthwiseConv2d({ ...options, depthMultiplier, kernelSize: config.take('kernel_size')! })
    return { layer, sources: { kernel: depthwise('depthwise_kernel', depthMultiplier), bias: plain('bias') } }
  },
  SeparableConv2D: (config) => {
    const depthMultiplier = config.take<number>('depth_multiplier') ?? 1
    const { kernelRegularizer: depthwiseRegularizer, ...options } = kernelled(config, 'depthwise') as {
      kernelRegularizer?: object
    }
    const layer = layers.separableConv2d({
      ...options,
      ...given({ depthwiseRegularizer, dilationRate: config.take('dilation_rate') }),
      ...sliding(config),
      ...config.regularizer('pointwise_regularizer', 'pointwiseRegularizer'),
      depthMultiplier,
      filters: config.take('filters')!,
      kernelSize: config.take('kernel_size')!,
    })
    const sources = {
      'depthwise/kernel': depthwise('depthwise_kernel', depthMultiplier),
      'pointwise/kernel': plain('pointwise_kernel'),
      'pointwise/bias': plain('bias'),
    }
    return { layer, sources }
  },
  Conv2DTranspose: (config) => {
    const rate = config.take<unknown>('dilation_rate') ?? 1
    if (!isOne(rate)) throw config.error(`dilation_rate ${show(rate)} is not supported, only 1`)
    config.only('output_padding', undefined)
    const layer = layers.convTranspose2d({
      ...kernelled(config),
      ...sliding(config),
      filters: config.take('filters')!,
      kernelSize: config.take('kernel_size')!,
    })
    return { layer, sources: { kernel: transposed('kernel'), bias: plain('bias') } }
  },
  MaxPooling2D: pooling(layers.maxPool2d),
  AveragePooling2D: pooling(layers.avgPool2d),
  GlobalAveragePooling2D: globalPooling(layers.globalAvgPool2d),
  GlobalMaxPooling2D: globalPooling(layers.globalMaxPool2d),
  Flatten: (config) => {
    channelsLast(config)
    return { layer: layers.flatten(common(config)) }
  },
  Reshape: (config) => {
    const target = config.take<unknown>('target_shape')
    if (!Array.isArray(target)) throw config.error(`target_shape must be an array. got ${show(target)}`)
    // tf.js writes null where a size is free.
    return { layer: layers.reshape({ ...common(config), targetShape: target.map((size) => size ?? -1) }) }
  },
  Activation: (config) => ({ layer: activation(config, config.activation()) }),
  ReLU: (config) => {
    config.only('max_value', undefined)
    config.only('negative_slope', 0, undefined)
    config.only('threshold', 0, undefined)
    return { layer: activation(config, 'relu') }
  },
  LeakyReLU: (config) => {
    const alpha = config.take<number>('alpha') ?? config.take<number>('negative_slope') ?? 0.3
    return { layer: layers.leakyRelu({ ...common(config), alpha }) }
  },
  ELU: (config) => {
    config.only('alpha', 1, undefined)
    return { layer: activation(config, 'elu') }
  },
  Softmax: (config) => ({ axis: config.lastAxis(), layer: activation(config, 'softmax') }),
  BatchNormalization: (config) => {
    config.only('renorm', false, undefined)
    config.only('fused', true, false, undefined)
    config.only('synchronized', false, undefined)
    const layer = layers.batchNorm({
      ...common(config),
      ...statistics(config),
      ...given({ momentum: config.take('momentum') }),
      ...config.regularizer('gamma_regularizer', 'gammaRegularizer'),
      ...config.regularizer('beta_regularizer', 'betaRegularizer'),
    })
    const sources = {
      ...{ gamma: plain('gamma'), beta: plain('beta') },
      ...{ mean: plain('moving_mean'), variance: plain('moving_variance') },
    }
    return { layer, sources, axis: config.lastAxis() }
  },
  LayerNormalization: (config) => {
    config.only('rms_scaling', false, undefined)
    const layer = layers.layerNorm({ ...common(config), ...statistics(config) })
    return { layer, sources: { gamma: plain('gamma'), beta: plain('beta') }, axis: config.lastAxis() }
  },
  Dropout: (config) => {
    config.only('noise_shape', undefined)
    return { layer: layers.dropout({ ...common(config), rate: config.take('rate')! }) }
  },
  ZeroPadding2D: (config) => {
    channelsLast(config)
    return { layer: layers.zeroPadding2d({ ...common(config), ...given({ padding: config.take('padding') }) }) }
  },
  UpSampling2D: (config) => {
    channelsLast(config)
    config.only('interpolation', 'nearest', undefined)
    return { layer: layers.upSampling2d({ ...common(config), ...given({ size: config.take('size') }) }) }
  },
  Embedding: (config) => {
    config.only('mask_zero', false, undefined)
    config.take('input_length')
    const layer = layers.embedding({
      ...common(config),
      ...config.regularizer('embeddings_regularizer', 'embeddingsRegularizer'),
      inputDim: config.take('input_dim')!,
      outputDim: config.take('output_dim')!,
    })
    return { layer, sources: { embeddings: plain('embeddings') } }
  },
  Add: (config) => ({ layer: layers.add(common(config)) }),
  Concatenate: (config) => ({
    layer: layers.concatenate({ ...common(config), ...given({ axis: config.take('axis') }) }),
  }),
}

/** Whether a size is 1 on both axes. */
function isOne(size: unknown): boolean {
  return size === 1 || (Array.isArray(size) && size.every((one) => one === 1))
}

/** The layer of class `kind` with this config. Throws a {@link FormatError} where it cannot be made to compute the same. */
export function tfjsLayer(op: string, kind: string, values: unknown): TfjsLayer {
  if (!Object.hasOwn(recipes, kind)) {
    const { name } = values as { name?: unknown }
    throw new FormatError(
      `${op}: layer ${show(name)} is of class ${show(kind)}, which is not supported. known are ${Object.keys(recipes).join(', ')}`,
    )
  }
  const config = new TfjsConfig(op, kind, values)
  let made: Made
  try {
    made = recipes[kind]!(config)
  } catch (error) {
    if (error instanceof FormatError || !(error instanceof Error && 'code' in error)) throw error
    throw new FormatError(`${op}: ${config.label}: ${error.message}`, { cause: error })
  }
  config.finish()
  return { layer: made.layer, label: config.label, sources: made.sources ?? {}, axis: made.axis }
}
