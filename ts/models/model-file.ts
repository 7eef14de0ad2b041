// What a file holds of a model beside tensors, as JSON in its metadata.

import { FormatError, show } from '../errors.js'
import type { PreprocessingConfig } from '../preprocessing/preprocessing.js'
import type { ModelDescription } from './description.js'
import type { TrainingDescription } from './training-state.js'

/** Files of a later version are refused. */
export const VERSION = 1

export interface ModelFile {
  readonly version: number
  readonly model: ModelDescription
  /** The paths of the weights that learn, in the order in which they began to. */
  readonly learning: readonly string[]
  /** How far layers with random sequences of their own have come, by their paths. */
  readonly drawn: Readonly<Record<string, number>>
  /** Only of a model with preprocessing, whose statistics are among the tensors. */
  readonly preprocessing?: { readonly kind: string; readonly config: PreprocessingConfig }
  /** Only of a model that is compiled. */
  readonly training?: TrainingDescription
}

/** The tensor of a statistic of the preprocessing. No path of a weight begins with a slash. */
export const STATISTICS = '/preprocessing/'

/** The parts of a file, of which only the version has been looked at. */
export type UncheckedFile = Readonly<Record<keyof ModelFile, unknown>>

/** Reads the metadata of a model's file. Throws a {@link FormatError} when it is none. */
export function parseModelFile(op: string, metadata: ReadonlyMap<string, string>): UncheckedFile {
  const text = metadata.get('ferrograd')
  if (text === undefined) {
    throw new FormatError(`${op}: the file holds tensors, but no model. loadTensors reads it`)
  }
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${op}: the description of the model is no JSON. ${(error as Error).message}`, {
      cause: error,
    })
  }
  const { version } = checkObject(op, 'the description of the model', file)
  if (version !== VERSION) {
    const newer = typeof version === 'number' && version > VERSION
    throw new FormatError(
      `${op}: the model was saved in version ${show(version)} of the format, and this is version ${VERSION}${newer ? '. update ferrograd' : ''}`,
    )
  }
  return file as UncheckedFile
}

/** Throws a {@link FormatError} unless `value` is an object. */
export function checkObject(op: string, what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${op}: ${what} must be an object. got ${show(value)}`)
  }
  return value as Record<string, unknown>
}

/** Throws a {@link FormatError} unless `value` is an array. */
export function checkList(op: string, what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new FormatError(`${op}: ${what} must be an array. got ${show(value)}`)
  return value
}

/** Throws a {@link FormatError} unless `value` is a whole number from `min` to 2^53 - 1. */
export function checkWhole(op: string, what: string, value: unknown, min = 0): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw new FormatError(`${op}: ${what} must be a whole number from ${min}. got ${show(value)}`)
  }
  return value
}

/** Throws a {@link FormatError} unless `value` is a string. */
export function checkText(op: string, what: string, value: unknown): string {
  if (typeof value !== 'string') throw new FormatError(`${op}: ${what} must be a string. got ${show(value)}`)
  return value
}
