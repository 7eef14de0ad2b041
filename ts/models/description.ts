// What a file holds of a model beside its weights.

import type { LayerDescription } from '../layers/config.js'
import type { Shape } from '../layers/shape.js'

/**
 * A model of a file. Tensors are numbered: first the inputs, then what the calls put out. `several` says whether the
 * model returns an array.
 */
export interface ModelDescription {
  readonly kind: 'model' | 'sequential'
  readonly name?: string
  readonly dtype: 'float32' | 'float64'
  readonly inputs: readonly { readonly shape: Shape; readonly name?: string }[]
  readonly layers: readonly (LayerDescription | ModelDescription)[]
  readonly calls: readonly CallDescription[]
  readonly outputs: readonly number[]
  readonly several: boolean
}

export interface CallDescription {
  /** Which of `layers`. */
  readonly layer: number
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Whether the layer takes an array. */
  readonly list: boolean
}
