// The namespace `metrics`.

export { type AccuracyOptions, accuracy, binaryAccuracy, type TopKAccuracyOptions, topKAccuracy } from './accuracy.js'
export { type MeanErrorOptions, meanAbsoluteError, meanSquaredError } from './mean-error.js'
export { type PrecisionOptions, precision, recall } from './precision-recall.js'
