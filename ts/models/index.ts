// The namespace `models`: well-known classifiers, ready to train.

export { type AlexNetOptions, alexNet } from './alex-net.js'
export type { ClassifierOptions } from './classifier-options.js'
export { linearClassifier, type TwoLayerNetOptions, twoLayerNet } from './classifiers.js'
export { type Lenet5Options, lenet5 } from './lenet5.js'
export { type ResNetOptions, resNet18, resNet34, resNet50 } from './res-net.js'
export { type VggOptions, vgg11, vgg16, vgg19 } from './vgg.js'
