// Every optimizer, by name.

export { type AdadeltaOptions, adadelta } from './adadelta.js'
export { type AdagradOptions, adagrad } from './adagrad.js'
export { type AdamOptions, adam } from './adam.js'
export { type AdamWOptions, adamW } from './adam-w.js'
export { type AdamaxOptions, adamax } from './adamax.js'
export { type LionOptions, lion } from './lion.js'
export { type NadamOptions, nadam } from './nadam.js'
export { Optimizer, type OptimizerConfig, type OptimizerOptions, type OptimizerState } from './optimizer.js'
export { type RmsPropOptions, rmsprop } from './rmsprop.js'
export { type SgdOptions, sgd } from './sgd.js'
