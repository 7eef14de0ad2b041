// Where batches come from.

import type { Tensor } from '../tensor/tensor.js'
import type { Expectation } from './labels.js'

/** @internal A batch ready for a step. Its tensors are freed when the step is queued. */
export interface ReadyBatch {
  readonly size: number
  readonly expected: Expectation
  readonly inputs: Tensor[]
  readonly labels: Tensor
  readonly weights: Tensor | undefined
}

/** @internal */
export function freeBatch({ inputs, labels, weights }: ReadyBatch): void {
  for (const input of inputs) input.dispose()
  labels.dispose()
  weights?.dispose()
}

/** @internal One way through the data. */
export interface Pass {
  next(): ReadyBatch | undefined | Promise<ReadyBatch | undefined>
  /** Says that no more batches will be asked for. */
  close(): void | Promise<void>
}

/** @internal Data that can be gone through again and again. */
export interface Source {
  /** Batches in one pass, where it is known. */
  readonly steps: number | undefined
  /** Samples in a batch, where all but the last have as many. */
  readonly batchSize?: number
  /** Whether a pass can begin at any of its batches. */
  readonly jumps: boolean
  /** Begins a pass at one of its batches. What cannot jump begins at its start. */
  open(pass: number, first: number): Pass
}
