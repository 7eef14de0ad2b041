// Data that several threads read without each having a copy in JavaScript.

import { show, typeError } from '../errors.js'
import { dtypeOf, tensor } from '../tensor/create.js'
import type { TypedArray } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import type { Values } from '../training/values.js'
import type { SearchData, SearchPart } from './run-trial.js'

/** Values as another thread can take them. Typed arrays lie in shared memory. */
export interface SharedValues {
  readonly values: Exclude<Values, Tensor>
  /** That of a tensor. */
  readonly shape: readonly number[] | undefined
}

/** {@link SearchData} as another thread can take it. */
export type SharedData = { readonly [Part in keyof SearchData]: { readonly [K in keyof SearchPart]: SharedValues } }

/** @internal Throws unless `data` has images and labels to train on and to judge by. */
export function checkData(op: string, data: unknown): SearchData {
  const whole = (data ?? {}) as Partial<Record<keyof SearchData, unknown>>
  for (const part of ['train', 'validation'] as const) {
    const found = whole[part]
    if (typeof found !== 'object' || found === null) {
      throw typeError(
        `${op}: data must be { train: { images, labels }, validation: { images, labels } }. data.${part} is ${show(found)}`,
      )
    }
    for (const key of ['images', 'labels'] as const) {
      const values = (found as Partial<SearchPart>)[key]
      if (values === undefined) throw typeError(`${op}: data.${part} has no ${key}. give { images, labels }`)
      if (values instanceof Tensor ? values.disposed : !Array.isArray(values) && dtypeOf(values) === undefined) {
        throw typeError(
          `${op}: data.${part}.${key} must be a Tensor that is not disposed, a typed array or nested arrays. got ${show(values)}`,
        )
      }
    }
  }
  return data as SearchData
}

/** @internal How many numbers, and of which kind: what tells data from other data at a glance. */
export function describeData(data: SearchData): object {
  const describe = (values: Values) =>
    values instanceof Tensor
      ? `${values.dtype} [${values.shape.join(', ')}]`
      : `${values.constructor.name} ${(values as TypedArray).length}`
  return Object.fromEntries(
    (['train', 'validation'] as const).map((part) => [
      part,
      [describe(data[part].images), describe(data[part].labels)],
    ]),
  )
}

/** One copy of the data for all threads. */
export async function shareData({ train, validation }: SearchData): Promise<SharedData> {
  const part = async ({ images, labels }: SearchPart) => ({
    images: await shareValues(images),
    labels: await shareValues(labels),
  })
  return { train: await part(train), validation: await part(validation) }
}

async function shareValues(values: Values): Promise<SharedValues> {
  if (values instanceof Tensor) return { values: inSharedMemory(await values.data()), shape: values.shape }
  return { values: ArrayBuffer.isView(values) ? inSharedMemory(values as TypedArray) : values, shape: undefined }
}

function inSharedMemory(values: TypedArray): TypedArray {
  if (values.buffer instanceof SharedArrayBuffer) return values
  const made = values.constructor as new (buffer: SharedArrayBuffer) => TypedArray
  const Kind = dtypeOf(values) === 'uint8' ? Uint8Array : made
  const shared = new Kind(new SharedArrayBuffer(values.byteLength))
  shared.set(values)
  return shared
}

/** @internal The data as the trials of this thread take it: what were tensors are tensors again, each uploaded once. */
export function takeData({ train, validation }: SharedData): SearchData {
  const take = ({ values, shape }: SharedValues): Values => (shape === undefined ? values : tensor(values, { shape }))
  const part = ({ images, labels }: SharedData['train']) => ({ images: take(images), labels: take(labels) })
  return { train: part(train), validation: part(validation) }
}
