// The namespace `datasets`.

export { type Dataset, type DatasetPart, digits } from './digits.js'
export { type SpiralOptions, spiral } from './spiral.js'
