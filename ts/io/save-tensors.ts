// Tensors into a file.

import { show, typeError } from '../errors.js'
import { Tensor } from '../tensor/tensor.js'
import { Snapshot } from './encode.js'
import { checkPath, type FilePath } from './file-path.js'
import { replaceFile } from './replace-file.js'

/**
 * Writes tensors into a safetensors file, which `loadTensors` and Python's `safetensors` read: float32 as F32, float64 as
 * F64, int32 as I32, uint8 as U8.
 *
 * The contents are those of the moment of the call, whatever happens to variables and tensors before it is written. The
 * file is replaced whole or not at all: after a crash, a full disk or a power cut it is the old one or the new one. The mode
 * of an existing file is kept, and a symbolic link is followed.
 *
 * Rejects with an error that has the system's `code`, such as ENOSPC, and names the file.
 *
 * @example
 * ```ts
 * import { loadTensors, saveTensors, tensor } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const path = `${tmpdir()}/saved-${process.pid}.safetensors`
 * await saveTensors(path, { kernel: tensor([[1, 2]]), labels: tensor([3], { dtype: 'int32' }) })
 * const { kernel, labels } = await loadTensors(path)
 * console.log(kernel!.shape, labels!.dtype) // [ 1, 2 ] int32
 * ```
 */
export async function saveTensors(path: FilePath, tensors: Readonly<Record<string, Tensor>>): Promise<void> {
  const absolute = checkPath('saveTensors', path)
  if (typeof tensors !== 'object' || tensors === null || Array.isArray(tensors) || tensors instanceof Tensor) {
    throw typeError(`saveTensors: expects an object of tensors by name, such as { kernel }. got ${show(tensors)}`)
  }
  const op = `saveTensors ${show(String(path))}`
  const snapshot = new Snapshot(op, Object.entries(tensors))
  try {
    await replaceFile(op, absolute, () => snapshot.bytes())
  } finally {
    snapshot.dispose()
  }
}
