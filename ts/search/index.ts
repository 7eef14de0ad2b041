// The namespace `search`.

export type { Build } from './build.js'
export { type CoarseToFineOptions, type CoarseToFineResult, coarseToFine, type Round } from './coarse-to-fine.js'
export type { Objective, Score } from './objective.js'
export { type RandomOptions, random } from './random.js'
export { choice, integer, logUniform, type Range, uniform } from './range.js'
export type { SearchData, SearchPart } from './run-trial.js'
export type { SearchOptions } from './search-options.js'
export type { SearchResult } from './search-result.js'
export type { ParamsOf, Space } from './space.js'
export type { Trial } from './trial.js'
