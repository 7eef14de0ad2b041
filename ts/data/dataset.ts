// What a dataset in memory is.

import type { Tensor } from '../tensor/tensor.js'

/** Images, or other inputs, with their labels and what the labels mean. */
export interface DatasetPart {
  /** `[samples, …]`: float32, or uint8 where they are pixels, which training and `batches` turn into 0…1. */
  images: Tensor
  /** `[samples]`, int32: positions in `classNames`. Values to predict are float32, and have no names. */
  labels: Tensor
  classNames: string[]
}

/** What to train on, and what to judge by. */
export interface Dataset {
  train: DatasetPart
  test: DatasetPart
}
