// Products and convolutions that need not be as exact as float32. What a matrix unit would compute is emulated, in a process of
// its own because the environment decides.
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import test from 'ava'
import { conv2d, convTranspose2d, layers, matmul, ones, type Precision, sequential, tensor } from 'ferrograd'
import { runChild } from '../helpers/child.js'

const require = createRequire(import.meta.url)
const native = require('../../native/binding.cjs') as Record<string, (...values: unknown[]) => number>

/** What `code` prints, which may use `f`, the library, and `errorOf`, the error of y beside exact float64 numbers. */
async function emulated(code: string, env: Record<string, string> = {}): Promise<string[]> {
  const {
    stdout,
    stderr,
    code: status,
  } = await runChild(
    `const noise = (shape, seed) => f.randomUniform(shape, { min: -1, max: 1, seed })
    const double = (x) => f.cast(x, { dtype: 'float64' })
    const errorOf = async (y, exact) => {
      const [found, right] = [await y.data(), await exact.data()]
      let [error, all] = [0, 0]
      for (const [i, v] of right.entries()) {
        error += (found[i] - v) ** 2
        all += v ** 2
      }
      return Math.sqrt(error / all)
    }
    ${code}`,
    { FERROGRAD_AMX: 'emulate', FERROGRAD_THREADS: '2', ...env },
  )
  if (status !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

/** Bounds of the relative error: of float32 (six products), of three products and of one. */
const bounds: Record<Precision, readonly [number, number]> = {
  highest: [1e-9, 5e-7],
  high: [5e-7, 2e-5],
  medium: [5e-4, 5e-3],
}

const gradientsOf = `async (op, x, weight, options) => {
  const [a, b] = [f.variable(x), f.variable(weight)]
  const y = op(a, b, options)
  const seeds = noise(y.shape, 3)
  const loss = f.sum(f.mul(y, y.dtype === 'float64' ? double(seeds) : seeds))
  const gradients = f.backward(loss)
  return [y, gradients.get(a), gradients.get(b)]
}`

for (const [name, op, x, weight, options] of [
  ['matmul', 'matmul', [70, 90], [90, 80], {}],
  ['matmul of transposes', 'matmul', [90, 70], [80, 90], { transposeA: true, transposeB: true }],
  ['a batch of products', 'matmul', [3, 40, 50], [50, 48], {}],
  ['conv2d', 'conv2d', [3, 12, 11, 20], [3, 3, 20, 33], { stride: 2, padding: 'same' }],
  ['conv2d of single pixels', 'conv2d', [2, 9, 9, 40], [1, 1, 40, 64], {}],
  ['convTranspose2d', 'convTranspose2d', [2, 7, 7, 24], [3, 3, 24, 32], { stride: 2, padding: 'same' }],
] as const) {
  test(`${name} and its gradients have the error of the precision`, async (t) => {
    const lines = await emulated(`
      const all = ${gradientsOf}
      const [x, weight] = [noise(${JSON.stringify(x)}, 1), noise(${JSON.stringify(weight)}, 2)]
      const exact = await all(f.${op}, double(x), double(weight), ${JSON.stringify(options)})
      for (const precision of ['highest', 'high', 'medium']) {
        const found = await all(f.${op}, x, weight, { ...${JSON.stringify(options)}, precision })
        for (const [i, y] of found.entries()) console.log(precision, await errorOf(y, exact[i]))
      }`)
    t.is(lines.length, 9)
    for (const line of lines) {
      const [precision, error] = line.split(' ') as [Precision, string]
      const [least, most] = bounds[precision]
      t.true(Number(error) > least && Number(error) < most, `${name}: ${line}`)
    }
  })
}

test('bias and activation come behind products of pieces', async (t) => {
  const [line] = await emulated(`
    const [x, weight, bias] = [noise([64, 96], 1), noise([96, 70], 2), noise([70], 3)]
    const y = f.matmul(x, weight, { bias, activation: 'relu', precision: 'high' })
    const z = f.relu(f.add(f.matmul(x, weight, { precision: 'high' }), bias))
    console.log(await errorOf(y, z), (await y.data()).filter((v) => v === 0).length > 100)`)
  t.is(line, '0 true')
})

test('an infinity, a NaN and numbers that are too small are computed in float32', async (t) => {
  const [line] = await emulated(`
    const a = new Float32Array(64 * 64).fill(1e-30)
    a[0] = Infinity
    a[64] = NaN
    const x = f.tensor(a, { shape: [64, 64] })
    const y = await f.matmul(x, f.full([64, 64], 1e-10), { precision: 'medium' }).data()
    console.log(y[0], y[64], y[200])`)
  const exact = Math.fround(64 * 1e-40)
  const [infinity, nan, small] = line!.split(' ').map(Number)
  t.is(infinity, Infinity)
  t.is(nan, Number.NaN)
  t.true(Math.abs(small! - exact) < 1e-43, `${small} ${exact}`)
})

test('a compiled model computes with its precision, unless an op has its own; a file keeps it', async (t) => {
  const path = JSON.stringify(`${tmpdir()}/precision-${process.pid}.safetensors`)
  const lines = await emulated(`
    const { layers, sequential } = f
    class Own extends f.Layer {
      get kind() { return 'own' }
      build() { this.kernel = this.addWeight('kernel', [64, 64], f.initializers.glorotUniform({ seed: 3 })) }
      forward(x) { return f.matmul(x, this.kernel, { precision: 'highest' }) }
    }
    const net = (...behind) => sequential({ inputShape: [8, 8, 16], layers: [
      layers.conv2d({ filters: 16, kernelSize: 2, strides: 2, kernelInitializer: f.initializers.heNormal({ seed: 1 }) }),
      layers.flatten(),
      layers.dense({ units: 64, kernelInitializer: f.initializers.heNormal({ seed: 2 }) }),
      ...behind,
    ] })
    const x = noise([64, 8, 8, 16], 5)
    const [plain, medium] = [net(), net()]
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    medium.compile({ optimizer: 'sgd', loss: 'meanSquaredError', precision: 'medium' })
    const right = await plain.predict(x)
    for (let i = 0; i < 3; i++) console.log(await errorOf(await medium.predict(x), right))
    console.log(await errorOf(medium.forward(x), await medium.predict(x)))
    medium.summary((line) => line.includes('conv2d') && console.log(line.trim().split(/ {2,}/).at(-1)), { explain: true })
    const y = f.mul(right, f.tensor(0.5))
    const [a, b] = [await plain.fit(x, y, { epochs: 2, verbose: 0 }), await medium.fit(x, y, { epochs: 2, verbose: 0 })]
    console.log(a.history.loss[1] < a.history.loss[0], Math.abs(b.history.loss[1] / a.history.loss[1] - 1))
    await medium.save(${path})
    const again = await f.loadModel(${path})
    console.log(await errorOf(await again.predict(x), await medium.predict(x)))
    again.summary((line) => line.includes('conv2d') && console.log(line.trim().split(/ {2,}/).at(-1)), { explain: true })
    await import('node:fs').then((fs) => fs.rmSync(${path}))
    const outer = sequential({ inputShape: [64], layers: [new Own()] })
    outer.compile({ optimizer: 'sgd', loss: 'meanSquaredError', precision: 'medium' })
    const before = await outer.predict(right)
    outer.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    console.log(await errorOf(before, await outer.predict(right)))`)
  const numbers = lines.map(Number)
  for (const i of [0, 1, 2]) t.true(numbers[i]! > 5e-4 && numbers[i]! < 2e-2, lines[i])
  t.is(numbers[3], 0)
  t.is(lines[4], 'bf16')
  const [learns, apart] = lines[5]!.split(' ')
  t.is(learns, 'true')
  t.true(Number(apart) > 0 && Number(apart) < 0.02, apart)
  t.is(numbers[6], 0)
  t.is(lines[7], 'bf16')
  t.is(numbers[8], 0, 'the op has its own')
})

test('what runs on pieces, the environment says', async (t) => {
  const name = async (amx: string, precision: Precision): Promise<string | undefined> => {
    const [line] = await emulated(
      `const net = f.sequential({ inputShape: [8, 8, 16], layers: [f.layers.conv2d({ filters: 32, kernelSize: 3, strides: 2 })] })
      net.compile({ optimizer: 'sgd', loss: 'meanSquaredError', precision: '${precision}' })
      net.summary((line) => line.includes('conv2d') && console.log(line), { explain: true })`,
      { FERROGRAD_AMX: amx },
    )
    return line!.trim().split(/ {2,}/).at(-1)
  }
  t.is(await name('emulate', 'highest'), 'bf16x6')
  t.is(await name('emulate', 'high'), 'bf16x3')
  t.is(await name('emulate', 'medium'), 'bf16')
  t.is(await name('off', 'medium'), 'direct')
  t.is(await name('auto', 'highest'), 'direct')
})

test('without a matrix unit the bits are those of float32', async (t) => {
  const x = tensor(
    Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i)),
    { shape: [64, 64] },
  )
  const same = async (precision: Precision): Promise<boolean> => {
    const [found, exact] = [await matmul(x, x, { precision }).data(), await matmul(x, x).data()]
    return found.every((v, i) => v === exact[i])
  }
  const pieces = [0, 1, 2].map((code) => native.bfloat16Pieces!(code))
  const there = pieces[2] !== 0
  t.deepEqual(pieces, there ? [0, 2, 1] : [0, 0, 0])
  t.is(await same('high'), !there)
  t.is(await same('medium'), !there)
  t.true(await same('highest'))
})

test('names that mean nothing are refused', (t) => {
  const low = 'low' as Precision
  const error = (op: string) => ({
    instanceOf: TypeError,
    message: `${op}: precision must be 'highest', 'high' or 'medium'. got "low"`,
  })
  t.throws(() => matmul(ones([2, 2]), ones([2, 2]), { precision: low }), error('matmul'))
  t.throws(() => conv2d(ones([1, 2, 2, 1]), ones([1, 1, 1, 1]), { precision: low }), error('conv2d'))
  const transposed = () => convTranspose2d(ones([1, 2, 2, 1]), ones([1, 1, 1, 1]), { precision: low })
  t.throws(transposed, error('convTranspose2d'))
  const net = sequential({ inputShape: [2], layers: [layers.dense({ units: 1 })] })
  t.throws(() => net.compile({ optimizer: 'sgd', loss: 'meanSquaredError', precision: low }), error('compile'))
  t.throws(() => matmul(ones([2, 2]), ones([2, 2]), { precision: 1 as unknown as Precision }), {
    instanceOf: TypeError,
    message: "matmul: precision must be 'highest', 'high' or 'medium'. got 1",
  })
})
