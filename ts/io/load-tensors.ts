// Tensors out of a file.

import { show } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkPath, type FilePath } from './file-path.js'
import { TensorFile } from './tensor-file.js'

export interface LoadTensorsOptions {
  /** Refuse a file of more bytes than this. Default: what there is memory for. */
  maxBytes?: number
}

/**
 * The tensors of a safetensors file, by name: those of `saveTensors`, of Python's `safetensors`, of anybody. They belong
 * to the caller, and no code of the file is run.
 *
 * F32, F64, I32 and U8 stay what they are. BF16, F16, F8_E4M3 and F8_E5M2 become float32, which holds all of their
 * values; I8, I16 and U16 become int32; BOOL becomes uint8. I64, U64 and U32 become int32 where all values fit, and are an
 * error otherwise, as other dtypes are.
 *
 * The header is checked before anything is allocated: no hole, no overlap, no byte that belongs to nothing, sizes that
 * follow from shapes. Throws a {@link FormatError} that says which tensor and which byte is wrong, and a `RangeError`
 * when there is not enough memory. Beside the tensors 4 MiB are in use, whatever the size of the file.
 *
 * Format: https://github.com/huggingface/safetensors
 *
 * @example
 * ```ts
 * import { loadTensors, saveTensors, tensor } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const path = `${tmpdir()}/example-${process.pid}.safetensors`
 * await saveTensors(path, { mean: tensor([1, 2, 3]) })
 * const { mean } = await loadTensors(path)
 * console.log(await mean!.array()) // [ 1, 2, 3 ]
 * ```
 */
export async function loadTensors(path: FilePath, options: LoadTensorsOptions = {}): Promise<Record<string, Tensor>> {
  const absolute = checkPath('loadTensors', path)
  checkOptions('loadTensors', options, ['maxBytes'])
  if (options.maxBytes !== undefined) checkNumber('loadTensors', 'maxBytes', options.maxBytes, 0)
  const file = await TensorFile.open(`loadTensors ${show(String(path))}`, absolute, options.maxBytes)
  try {
    // Without a prototype `__proto__` and `constructor` are names like any other.
    const result: Record<string, Tensor> = Object.create(null)
    for (const [name, tensor] of await file.read()) result[name] = tensor
    return result
  } finally {
    await file.close()
  }
}
