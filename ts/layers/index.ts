// The namespace `layers`.

export {
  type Activation,
  type ActivationOptions,
  activation,
  type LeakyRelu,
  type LeakyReluOptions,
  leakyRelu,
} from './activation.js'
export type { ActivationName } from './activations.js'
export { type BatchNorm, type BatchNormOptions, batchNorm } from './batch-norm.js'
export { type ConvTranspose2d, type ConvTranspose2dOptions, convTranspose2d } from './conv-transpose2d.js'
export { type Conv2d, type Conv2dOptions, conv2d } from './conv2d.js'
export { type Cutout, type CutoutOptions, cutout } from './cutout.js'
export { type Dense, type DenseOptions, dense } from './dense.js'
export { type DepthwiseConv2d, type DepthwiseConv2dOptions, depthwiseConv2d } from './depthwise-conv2d.js'
export { type Dropout, type DropoutOptions, dropout } from './dropout.js'
export { type Embedding, type EmbeddingOptions, embedding } from './embedding.js'
export { type Flatten, flatten } from './flatten.js'
export { type GlobalAvgPool2d, type GlobalMaxPool2d, globalAvgPool2d, globalMaxPool2d } from './global-pool2d.js'
export { type LayerNorm, type LayerNormOptions, layerNorm } from './layer-norm.js'
export { type Maxout, type MaxoutOptions, maxout } from './maxout.js'
export { type Add, add, type Concatenate, type ConcatenateOptions, concatenate } from './merge.js'
export { type Normalization, type NormalizationOptions, normalization } from './normalization.js'
export {
  type AvgPool2d,
  type AvgPool2dOptions,
  avgPool2d,
  type MaxPool2d,
  type MaxPool2dOptions,
  maxPool2d,
} from './pool2d.js'
export { type RandomColorJitter, type RandomColorJitterOptions, randomColorJitter } from './random-color-jitter.js'
export { type RandomCrop, type RandomCropOptions, randomCrop } from './random-crop.js'
export { type RandomErasing, type RandomErasingOptions, randomErasing } from './random-erasing.js'
export { type RandomFlip, type RandomFlipOptions, randomFlip } from './random-flip.js'
export { type RandomResizedCrop, type RandomResizedCropOptions, randomResizedCrop } from './random-resized-crop.js'
export { type RandomRotation, type RandomRotationOptions, randomRotation } from './random-rotation.js'
export { type Reshape, type ReshapeOptions, reshape } from './reshape.js'
export { type SeparableConv2d, type SeparableConv2dOptions, separableConv2d } from './separable-conv2d.js'
export { type UpSampling2d, type UpSampling2dOptions, upSampling2d } from './up-sampling2d.js'
export { type ZeroPadding2d, type ZeroPadding2dOptions, zeroPadding2d } from './zero-padding2d.js'
