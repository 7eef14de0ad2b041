// Tensors into files and out of them again.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test from 'ava'
import {
  FormatError,
  loadTensors,
  memory,
  ones,
  randomNormal,
  saveTensors,
  scope,
  type Tensor,
  tensor,
  variable,
  zeros,
} from 'ferrograd'
import { temporaryFolder } from '../helpers/folder.js'
import { fileOf } from '../helpers/safetensors.js'

const fixtures = new URL('../../__test__/fixtures/safetensors/', import.meta.url)

test('what is saved is loaded: every dtype, odd shapes and odd names', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const saved: Record<string, Tensor> = {
    scalar: tensor(2.5),
    empty: zeros([0, 3]),
    '': tensor([[1, 2, 3]]),
    constructor: tensor([1, 2], { dtype: 'int32' }),
    'a/b "c" \\ größe 🦀\n\u0000': tensor(new Uint8Array([0, 255, 7])),
    doubles: tensor([0.1, -0, Number.NaN, Infinity], { dtype: 'float64' }),
    deep: ones(Array(32).fill(1)),
    ...Object.fromEntries([['__proto__', tensor([9])]]),
  }
  Object.defineProperty(saved, '__proto__', { value: tensor([9]), enumerable: true })
  await saveTensors(path, saved)
  const loaded = await loadTensors(path)
  t.deepEqual(Object.keys(loaded).sort(), Object.keys(saved).sort())
  for (const [name, x] of Object.entries(saved)) {
    const found = loaded[name]!
    t.deepEqual([found.shape, found.dtype], [x.shape, x.dtype], name)
    t.deepEqual(await found.data(), await x.data(), name)
  }
  t.is(({} as Record<string, unknown>).polluted, undefined)
  t.is(Object.getPrototypeOf(loaded), null)
})

test('large tensors go through in pieces', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const [x, y] = [randomNormal([2111, 1999], { seed: 1 }), variable(randomNormal([1 << 20], { seed: 2 }))]
  const bytes = tensor(Uint8Array.from({ length: (9 << 20) + 3 }, (_, i) => i * 31))
  await saveTensors(path, { bytes, odd: tensor(new Uint8Array(3)), x, y })
  t.is(readFileSync(path).readBigUInt64LE() % 8n, 0n)
  const loaded = await loadTensors(path)
  for (const [name, original] of Object.entries({ x, y, bytes })) {
    const [a, b] = [await loaded[name]!.data(), await original.data()]
    t.is(Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)), 0, name)
  }
})

test('the contents are those of the moment of the call', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const w = variable(tensor([1, 2]))
  const gone = tensor([3])
  const saving = scope(() => ({ promise: saveTensors(path, { w, gone }) })).promise
  w.assign(tensor([5, 6]))
  gone.dispose()
  await saving
  const loaded = await loadTensors(path)
  t.deepEqual(await loaded.w!.array(), [1, 2])
  t.deepEqual(await loaded.gone!.array(), [3])
})

test('saves to one path happen in the order in which they were asked for', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  await Promise.all([300000, 1000, 10, 1].map((n) => saveTensors(path, { x: ones([n]) })))
  t.deepEqual((await loadTensors(path)).x!.shape, [1])
})

test.serial('nothing is left in memory but what was loaded', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const x = ones([1 << 20])
  const before = memory().tensors
  await saveTensors(path, { x, y: ones([3]) })
  const loaded = await loadTensors(path)
  t.is(memory().tensors - before, 3)
  for (const one of Object.values(loaded)) one.dispose()
  writeFileSync(
    path,
    fileOf({ a: i64([0, 8]), b: i64([8, 16]) }, new Uint8Array(new BigInt64Array([1n, 1n << 40n]).buffer)),
  )
  await t.throwsAsync(loadTensors(path), { instanceOf: FormatError })
  t.is(memory().tensors - before, 1)
})

function i64(offsets: [number, number]) {
  return { dtype: 'I64', shape: [(offsets[1] - offsets[0]) / 8], data_offsets: offsets }
}

test("every dtype of Python's safetensors", async (t) => {
  const expected: Record<string, { shape: number[]; values: (number | string)[] }> = JSON.parse(
    readFileSync(new URL('every-dtype.json', fixtures), 'utf8'),
  )
  const loaded = await loadTensors(new URL('every-dtype.safetensors', fixtures))
  t.deepEqual(Object.keys(loaded).sort(), Object.keys(expected).sort())
  const kept: Record<string, string> = { float64: 'float64', uint8: 'uint8', bool: 'uint8' }
  for (const [name, { shape, values }] of Object.entries(expected)) {
    const x = loaded[name]!
    t.deepEqual(x.shape, shape, name)
    t.is(x.dtype, (kept[name] ?? (name.includes('int') ? 'int32' : 'float32')) as never, name)
    const found = [...(await x.data())].map((v) => (Number.isNaN(v) ? 'nan' : Object.is(v, -0) ? '-0' : v))
    const wanted = values.map((v) => (v === 'inf' ? Infinity : v === '-inf' ? -Infinity : v))
    const exact = x.dtype === 'float32' ? wanted.map((v) => (typeof v === 'number' ? Math.fround(v) : v)) : wanted
    t.deepEqual(found, exact, name)
  }
})

const f32 = (shape: number[], data_offsets: number[]) => ({ dtype: 'F32', shape, data_offsets })

/** What stands in the file, and what the error says behind the path. */
const refused: Record<string, [Buffer, string]> = {
  'no bytes': [Buffer.alloc(3), 'this is not a safetensors file: it has 3 bytes, and 8 tell the length of the header'],
  'a header past the end': [
    Buffer.concat([fileOf('{}').subarray(0, 8), Buffer.from('{')]),
    'the file is cut off: the header has 2 bytes, and the file ends after 1 of them (byte 0)',
  ],
  'a byte order mark': [fileOf('\ufeff{}'), 'the header is wrong: expected {. got "\ufeff{}" (byte 8)'],
  'an array': [fileOf('[]'), 'the header is wrong: expected {. got "[]" (byte 8)'],
  null: [fileOf('null'), 'the header is wrong: expected {. got "null" (byte 8)'],
  'zeros as padding': [
    fileOf('{}\0\0'),
    'the header is wrong: expected nothing behind the closing brace. got "\\u0000\\u0000" (byte 10)',
  ],
  'a tensor twice': [
    fileOf(`{"é":${JSON.stringify(f32([0], [0, 0]))},"\\u00e9":${JSON.stringify(f32([0], [0, 0]))}}`),
    'the header is wrong: the name "é" stands twice (byte 63)',
  ],
  'a field twice': [
    fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    'the header is wrong: tensor "a": dtype stands twice (byte 28)',
  ],
  'an unknown field': [
    fileOf('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":[[[[1]]]]}}'),
    'the header is wrong: tensor "a": "x" is neither dtype, shape nor data_offsets (byte 61)',
  ],
  'metadata twice': [
    fileOf('{"__metadata__":{},"__metadata__":{}}'),
    'the header is wrong: the name "__metadata__" stands twice (byte 27)',
  ],
  'a key of metadata twice': [
    fileOf('{"__metadata__":{"a":"1","a":"2"}}'),
    'the header is wrong: the key "a" of __metadata__ stands twice (byte 33)',
  ],
  'metadata that is a number': [
    fileOf('{"__metadata__":{"a":1}}'),
    'the header is wrong: expected a string as "a" of __metadata__. got "1}}" (byte 29)',
  ],
  'metadata that is a list': [fileOf('{"__metadata__":[]}'), 'the header is wrong: expected {. got "[]}" (byte 24)'],
  'a deep header': [
    fileOf(`{"a":${'['.repeat(100000)}`),
    'the header is wrong: expected {. got "[[[[[[[[[[[[" (byte 13)',
  ],
  'half a character': [
    fileOf('{"\\ud800":{}}'),
    'the header is wrong: a string with half a character (a lone surrogate) (byte 9)',
  ],
  'a wrong escape': [
    fileOf('{"\\x":{}}'),
    'the header is wrong: a string with an escape that JSON does not know (byte 9)',
  ],
  'a line break in a name': [fileOf('{"\n":{}}'), 'the header is wrong: a string with a control character (byte 10)'],
  'a name without an end': [fileOf('{"a'), 'the header is wrong: a string without an end (byte 11)'],
  'a comma at the end': [
    fileOf('{"__metadata__":{},}'),
    'the header is wrong: expected the name of a tensor. got "}" (byte 27)',
  ],
  'a lower-case dtype': [
    fileOf({ a: { ...f32([1], [0, 4]), dtype: 'f32' } }, new Uint8Array(4)),
    'the header is wrong: tensor "a" has dtype "f32", which the format does not have (byte 9)',
  ],
  'complex numbers': [
    fileOf({ a: { ...f32([1], [0, 8]), dtype: 'C64' } }, new Uint8Array(8)),
    'the header is wrong: tensor "a" has dtype "C64", which no tensor here can hold; save it as F32 (byte 9)',
  ],
  'a leading zero': [
    fileOf('{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', new Uint8Array(4)),
    'the header is wrong: tensor "a": shape must hold whole numbers from 0. got "01],\\"data_of" (byte 37)',
  ],
  'an exponent': [
    fileOf('{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}', new Uint8Array(4)),
    'the header is wrong: tensor "a": shape must hold whole numbers from 0. got "1e400],\\"data" (byte 37)',
  ],
  'one offset': [
    fileOf({ a: f32([1], [4]) }, new Uint8Array(4)),
    'the header is wrong: tensor "a": data_offsets must be two numbers. got 1 (byte 9)',
  ],
  'three offsets': [
    fileOf({ a: f32([1], [0, 4, 4]) }, new Uint8Array(4)),
    'the header is wrong: tensor "a": data_offsets has more than 2 numbers (byte 60)',
  ],
  'reversed offsets': [
    fileOf({ a: f32([1], [4, 0]) }, new Uint8Array(4)),
    'the header is wrong: tensor "a" takes 4 bytes as F32 of shape [1], but its data_offsets are 4 and 0 (byte 9)',
  ],
  'a hole at the front': [
    fileOf({ a: f32([1], [4, 8]) }, new Uint8Array(8)),
    'the header is wrong: tensor "a" leaves a hole before itself: it begins at 4, and the one before ends at 0 (byte 9)',
  ],
  'a hole in the middle': [
    fileOf({ a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, new Uint8Array(12)),
    'the header is wrong: tensor "b" leaves a hole before itself: it begins at 8, and the one before ends at 4 (byte 62)',
  ],
  'no elements of absurd axes': [
    fileOf({ a: f32([0, 2 ** 50], [0, 0]) }),
    'the header is wrong: tensor "a" is too large: a tensor holds at most 2^40 elements. shape [0, 1125899906842624] (byte 9)',
  ],
  'a large int64': [
    fileOf({ a: i64([0, 16]) }, new Uint8Array(new BigInt64Array([-5n, -(2n ** 31n) - 1n]).buffer)),
    'tensor "a": element 1 is -2147483649, and integers are read as int32, which holds those from -2^31 to 2^31 - 1 (byte 71)',
  ],
  'a large uint64': [
    fileOf({ a: { ...i64([0, 8]), dtype: 'U64' } }, new Uint8Array(8).fill(255)),
    'tensor "a": element 0 is 18446744073709551615, and integers are read as int32, which holds those from -2^31 to 2^31 - 1 (byte 62)',
  ],
  'a large uint32': [
    fileOf({ a: { ...f32([1], [0, 4]), dtype: 'U32' } }, new Uint8Array(4).fill(255)),
    'tensor "a": element 0 is 4294967295, and integers are read as int32, which holds those from -2^31 to 2^31 - 1 (byte 62)',
  ],
  'neither true nor false': [
    fileOf({ a: { ...f32([3], [0, 3]), dtype: 'BOOL' } }, new Uint8Array([1, 0, 2])),
    'tensor "a": element 2 is 2, and a BOOL is 0 or 1 (byte 65)',
  ],
}

for (const [title, [bytes, message]] of Object.entries(refused)) {
  test(`refused: ${title}`, async (t) => {
    const path = join(temporaryFolder(t), 'a.safetensors')
    writeFileSync(path, bytes)
    await t.throwsAsync(loadTensors(path), {
      instanceOf: FormatError,
      code: 'ERR_FORMAT',
      message: `loadTensors "${path}": ${message}`,
    })
  })
}

test('tensors may stand in any order in the header', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const contents = new Uint8Array(new Float32Array([1, 2, 3]).buffer)
  writeFileSync(
    path,
    fileOf(
      ` {"b":${JSON.stringify(f32([2], [4, 12]))}\n,"n":${JSON.stringify(f32([0], [4, 4]))},"a":${JSON.stringify(f32([], [0, 4]))} }\t`,
      contents,
    ),
  )
  const { a, b, n } = await loadTensors(path)
  t.deepEqual([await a!.array(), await b!.array(), await n!.array()], [1, [2, 3], []])
})

test('a limit, and files that are none', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.safetensors')
  await saveTensors(pathToFileURL(path), { a: ones([100]) })
  await t.throwsAsync(loadTensors(path, { maxBytes: 400 }), {
    instanceOf: FormatError,
    message: `loadTensors "${path}": the file has 472 bytes, more than maxBytes 400`,
  })
  t.truthy((await loadTensors(path, { maxBytes: 472 })).a)
  await t.throwsAsync(loadTensors(folder), {
    instanceOf: FormatError,
    message: `loadTensors "${folder}": this is not a file`,
  })
  if (process.platform !== 'win32') {
    await t.throwsAsync(loadTensors('/dev/zero'), { message: 'loadTensors "/dev/zero": this is not a file' })
  }
  await t.throwsAsync(loadTensors(`${folder}/none`), {
    code: 'ENOENT',
    message: `loadTensors "${folder}/none": the file cannot be read. there is no such file or folder (ENOENT)`,
  })
})

test('wrong arguments', async (t) => {
  const gone = tensor([1])
  gone.dispose()
  const cases: [() => Promise<unknown>, string][] = [
    [() => loadTensors(1 as never), 'loadTensors: path must be the name of a file, or a file: URL. got 1'],
    [() => loadTensors(''), 'loadTensors: path must be the name of a file, or a file: URL. got ""'],
    [() => loadTensors('a\0b'), 'loadTensors: path must be the name of a file, or a file: URL. got "a\\u0000b"'],
    [
      () => loadTensors(new URL('http://x/y')),
      'loadTensors: path must be the name of a file, or a file: URL. got a URL',
    ],
    [() => loadTensors('a', { max: 1 } as never), 'loadTensors: there is no option max (got 1). valid are maxBytes'],
    [() => loadTensors('a', { maxBytes: -1 }), 'loadTensors: maxBytes must be 0 or more. got -1'],
    [
      () => saveTensors('a', tensor([1]) as never),
      'saveTensors: expects an object of tensors by name, such as { kernel }. got a Tensor',
    ],
    [
      () => saveTensors('a', null as never),
      'saveTensors: expects an object of tensors by name, such as { kernel }. got null',
    ],
    [
      () => saveTensors('a', { x: [1] } as never),
      'saveTensors "a": the tensor "x" must be a Tensor. got [1]. make one with tensor(values)',
    ],
    [
      () => saveTensors('a', { x: gone }),
      'saveTensors "a": the tensor "x" is disposed (it had shape [1]). return it from scope() to keep it, or dispose it later',
    ],
    [
      () => saveTensors('a', { __metadata__: tensor([1]) }),
      'saveTensors "a": no tensor can be called "__metadata__": the format keeps that name',
    ],
    [
      () => saveTensors('a', { '\ud800': tensor([1]) }),
      'saveTensors "a": the name "\\ud800" has half a character (a lone surrogate), which no file can hold',
    ],
  ]
  for (const [call, message] of cases) await t.throwsAsync(call(), { message })
})

test('no memory', async (t) => {
  const path = fileURLToPath(new URL('every-dtype.safetensors', fixtures))
  const { runChild } = await import('../helpers/child.js')
  const { stdout } = await runChild(
    `await f.loadTensors(${JSON.stringify(path)}).catch((error) => console.log(error.name, error.message)); console.log(f.memory().tensors)`,
    { FERROGRAD_MEMORY_LIMIT: '4096' },
  )
  t.is(
    stdout,
    `RangeError loadTensors "${path}": there is no memory for the tensors: they take 7462 bytes, 0 are in use and the limit is 4096. free tensors, or raise FERROGRAD_MEMORY_LIMIT\n0\n`,
  )
})
