// Models of tf.js whose description has something wrong in it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError, loadTfjsModel } from 'ferrograd'
import type { Fuzzed } from './fuzz.js'

const folder = mkdtempSync(join(tmpdir(), 'ferrograd-fuzz-tfjs-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'model.json')

const layer = (class_name: string, config: object) => ({ class_name, config })
/** 2 · 2 · 1 · 2 and 2 for the convolution, 8 · 2 and 2 for the dense layer. */
const weights = [
  { name: 'conv/kernel', shape: [2, 2, 1, 2], dtype: 'float32' },
  { name: 'conv/bias', shape: [2], dtype: 'float32' },
  { name: 'dense/kernel', shape: [8, 2], dtype: 'float32' },
  { name: 'dense/bias', shape: [2], dtype: 'float32' },
]
const conv = { name: 'conv', filters: 2, kernel_size: [2, 2], strides: [1, 1], padding: 'valid', activation: 'relu' }
const valid = {
  format: 'layers-model',
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'net',
      layers: [
        layer('Conv2D', { ...conv, dilation_rate: [1, 1], use_bias: true, batch_input_shape: [null, 3, 3, 1] }),
        layer('Flatten', { name: 'flat' }),
        layer('Dense', { name: 'dense', units: 2, activation: 'softmax', use_bias: true }),
      ],
    },
  },
  weightsManifest: [{ paths: ['weights.bin'], weights }],
}
writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(4 * (8 + 2 + 16 + 2), 0x3e))

const odd = [null, -1, 0, 1, 2.5, 1e9, 2 ** 53, '', 'relu', '../weights.bin', '__proto__', true, [], [1, 1, 1], {}]

type Node = Record<string, unknown>

/** Every object and array inside `value`, itself included. */
function nodes(value: unknown): Node[] {
  if (typeof value !== 'object' || value === null) return []
  return [value as Node, ...Object.values(value).flatMap(nodes)]
}

/** The valid description with up to three changes of its values, or of its bytes. */
function mutated(next: () => number): Buffer {
  const model = structuredClone(valid) as unknown as Node
  for (let changes = next() % 4; changes > 0; changes--) {
    const all = nodes(model).filter((node) => Object.keys(node).length > 0)
    const node = all[next() % all.length]!
    const keys = Object.keys(node)
    const key = keys[next() % keys.length]!
    if (next() % 4 === 0) delete node[key]
    else node[key] = structuredClone(odd[next() % odd.length])
  }
  const bytes = Buffer.from(JSON.stringify(model))
  if (next() % 4 === 0) bytes[next() % bytes.length]! ^= 1 << (next() % 8)
  return bytes
}

/** The reader of models of tf.js, as `fuzz` takes it. */
export const tfjs: Fuzzed = {
  mutated,
  async read(bytes) {
    writeFileSync(path, bytes)
    try {
      const model = await loadTfjsModel(path)
      model.dispose()
    } catch (error) {
      // A shard of another name is no matter of the format.
      const missing = ['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
      throw missing ? new FormatError('no such file', { cause: error }) : error
    }
  },
}
