// The namespace `datasets`.

export { cifar10 } from './cifar10.js'
export type { Dataset, DatasetPart } from './dataset.js'
export { digits } from './digits.js'
export type { DownloadOptions } from './download-options.js'
export { fashionMnist, type MnistOptions, mnist } from './mnist.js'
export { type SpiralOptions, spiral } from './spiral.js'
