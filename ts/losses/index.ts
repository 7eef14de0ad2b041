// Every loss, by name.

export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './binary-cross-entropy.js'
export { type HuberOptions, huber } from './huber.js'
export { meanAbsoluteError } from './mean-absolute-error.js'
export { meanSquaredError } from './mean-squared-error.js'
export { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy } from './softmax-cross-entropy.js'
export { type SvmOptions, svm } from './svm.js'
export type { WeightOptions } from './weights.js'
