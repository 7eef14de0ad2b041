// The namespace `preprocessing`.

export type { Per } from './moments.js'
export { type Pca, pca } from './pca.js'
export type { PerOptions } from './per-feature.js'
export { type Pipeline, pipeline } from './pipeline.js'
export type { ComponentsOptions } from './projecting.js'
export { type Standardize, standardize } from './standardize.js'
export { type Whiten, type WhitenOptions, whiten } from './whiten.js'
export { type Zca, type ZcaOptions, zca } from './zca.js'
export { type ZeroCenter, zeroCenter } from './zero-center.js'
