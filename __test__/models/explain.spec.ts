// The column of a summary that says which algorithm convolutions run by.
import test from 'ava'
import { input, type Layer, layers, type Model, model, sequential } from 'ferrograd'
import { runChild } from '../helpers/child.js'

function summaryOf(net: Model, explain: boolean): string[] {
  const lines: string[] = []
  net.summary((line) => lines.push(line), { explain })
  return lines
}

/** The last column of the only layer's row. */
function algorithmOf(layer: Layer, inputShape: readonly (number | null)[]): string {
  const row = summaryOf(sequential({ inputShape, layers: [layer] }), true)[3]!
  return row.trim().split(/ {2,}/).at(-1)!
}

const net = `sequential({
  inputShape: [16, 16, 1],
  layers: [
    layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same' }),
    layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same' }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, kernelSize: 3, strides: 2, padding: 'same' }),
    layers.flatten(),
    layers.dense({ units: 10 }),
  ],
})`

const explained = async (env: Record<string, string>) => {
  const { stdout, stderr } = await runChild(
    `const { layers, sequential } = f\n${net}.summary(undefined, { explain: true })`,
    { FERROGRAD_THREADS: '2', ...env },
  )
  return stderr === '' ? stdout.split('\n') : [stderr]
}

test('what a small network runs by, and what it is forced to', async (t) => {
  t.deepEqual(await explained({ FERROGRAD_CONV: '' }), [
    'sequential',
    '  layer (kind)             output shape        activations  parameters      FLOPs  algorithm',
    '  input                    [null, 16, 16, 1]           256',
    '  conv2d_1 (conv2d)        [null, 16, 16, 32]        8,192         320    155,648  direct / thin / direct',
    '  conv2d_2 (conv2d)        [null, 16, 16, 32]        8,192       9,248  4,726,784  winograd4',
    '  maxPool2d_1 (maxPool2d)  [null, 8, 8, 32]          2,048           0      8,192  joined',
    '  conv2d_3 (conv2d)        [null, 4, 4, 64]          1,024      18,496    590,848  direct',
    '  flatten_1 (flatten)      [null, 1024]                  0           0          0',
    '  dense_1 (dense)          [null, 10]                   10      10,250     20,490',
    'parameters: 38,314 (153 kB), 38,314 trainable, 0 frozen',
    'activations: 19,722 (78.9 kB, 158 kB with their gradients) for each example',
    'forward: 5,501,962 FLOPs for each example',
    'training memory: about 613 kB for weights, gradients and moments, and 96.3 kB for each example of a batch',
    '',
  ])
  const forced = async (way: string) => (await explained({ FERROGRAD_CONV: way })).slice(3, 5)
  t.deepEqual(await forced('direct'), [
    '  conv2d_1 (conv2d)        [null, 16, 16, 32]        8,192         320    155,648  direct / thin / direct',
    '  conv2d_2 (conv2d)        [null, 16, 16, 32]        8,192       9,248  4,726,784  direct',
  ])
  t.deepEqual(await forced('winograd2'), [
    '  conv2d_1 (conv2d)        [null, 16, 16, 32]        8,192         320    155,648  winograd2',
    '  conv2d_2 (conv2d)        [null, 16, 16, 32]        8,192       9,248  4,726,784  winograd2',
  ])
})

test('every kind of convolution', (t) => {
  const { conv2d, convTranspose2d, depthwiseConv2d, separableConv2d } = layers
  const same = { kernelSize: 3, padding: 'same' } as const
  for (const [layer, inputShape, expected] of [
    [conv2d({ ...same, filters: 64 }), [4, 4, 64], 'winograd2'],
    [conv2d({ ...same, kernelSize: 5, filters: 64 }), [16, 16, 32], 'winograd2'],
    [conv2d({ ...same, kernelSize: 5, filters: 16 }), [16, 16, 12], 'direct'],
    [conv2d({ ...same, filters: 64, groups: 2 }), [32, 32, 64], 'direct'],
    [conv2d({ ...same, filters: 64, dilationRate: 2 }), [32, 32, 64], 'direct'],
    [conv2d({ filters: 512, kernelSize: 1 }), [7, 7, 256], 'direct / direct / product'],
    // 3 × 3 of the 5 × 5 taps reach every second pixel.
    [
      conv2d({ filters: 64, kernelSize: 5, strides: 2, padding: 'same' }),
      [32, 32, 64],
      'direct / direct + winograd4 / direct',
    ],
    [depthwiseConv2d(same), [32, 32, 24], 'depthwise'],
    [
      separableConv2d({ ...same, filters: 512 }),
      [14, 14, 256],
      'depthwise + direct / depthwise + direct / depthwise + product',
    ],
    // Its forward pass is the gradient of a convolution's input.
    [convTranspose2d({ ...same, filters: 64 }), [16, 16, 64], 'winograd4'],
    [convTranspose2d({ ...same, filters: 1 }), [16, 16, 64], 'thin / direct / direct'],
    [convTranspose2d({ ...same, filters: 64, strides: 2 }), [16, 16, 64], 'direct'],
  ] as const) {
    t.is(algorithmOf(layer, inputShape), expected, `${layer.kind} ${inputShape}`)
  }
})

test('what the sizes leave open, and float64', (t) => {
  const { conv2d, convTranspose2d, separableConv2d } = layers
  const options = { filters: 16, kernelSize: 3 }
  for (const make of [conv2d, convTranspose2d, separableConv2d]) {
    t.is(algorithmOf(make(options), [null, 32, 16]), 'by size')
    t.is(algorithmOf(make(options), [32, null, 16]), 'by size')
    const x = input({ shape: [null, 32, 16], dtype: 'float64' })
    const net = model({ inputs: x, outputs: make(options).apply(x) })
    t.regex(summaryOf(net, true)[3]!, / reference$/)
  }
})

test('the column stands before "from", and a model inside another has none', (t) => {
  const x = input({ shape: [8, 8, 16] })
  const inner = sequential({ layers: [layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same' })] })
  const y = layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', name: 'c' }).apply(x)
  const sum = layers.add({ name: 'sum' }).apply([x, inner.apply(y)])
  const net = model({ inputs: x, outputs: sum })
  t.deepEqual(summaryOf(net, true).slice(1, 6), [
    '  layer (kind)               output shape      activations  parameters    FLOPs  algorithm  from',
    '  input                      [null, 8, 8, 16]        1,024',
    '  c (conv2d)                 [null, 8, 8, 16]        1,024       2,320  295,936  winograd2  input',
    '  sequential_1 (sequential)  [null, 8, 8, 16]        1,024       2,320  295,936             c',
    '  sum (add)                  [null, 8, 8, 16]        1,024           0    1,024             input, sequential_1',
  ])
  t.deepEqual(summaryOf(net, false).slice(1, 6), [
    '  layer (kind)               output shape      activations  parameters    FLOPs  from',
    '  input                      [null, 8, 8, 16]        1,024',
    '  c (conv2d)                 [null, 8, 8, 16]        1,024       2,320  295,936  input',
    '  sequential_1 (sequential)  [null, 8, 8, 16]        1,024       2,320  295,936  c',
    '  sum (add)                  [null, 8, 8, 16]        1,024           0    1,024  input, sequential_1',
  ])
})

test('without the option nothing changes, and wrong ones are refused', (t) => {
  const net = sequential({ inputShape: [8, 8, 1], layers: [layers.conv2d({ filters: 2, kernelSize: 3 })], name: 'n' })
  const plain: string[] = []
  net.summary((line) => plain.push(line))
  t.deepEqual(summaryOf(net, false), plain)
  t.is(plain[3], '  conv2d_1 (conv2d)  [null, 6, 6, 2]           72          20  1,368')
  for (const [options, message] of [
    [{ explained: true }, 'sequential "n": summary: there is no option explained (got true). valid are explain'],
    [{ Explain: true }, 'sequential "n": summary: there is no option Explain (got true). did you mean explain?'],
    [{ explain: 1 }, 'sequential "n": summary: explain must be true or false. got 1'],
    [true, 'sequential "n": summary: expects an options object. got true'],
    [null, 'sequential "n": summary: expects an options object. got null'],
  ] as const) {
    t.throws(() => net.summary(() => {}, options as never), { instanceOf: TypeError, message })
  }
  const giant = sequential({
    inputShape: [2 ** 21, 2 ** 21, 1],
    layers: [layers.conv2d({ filters: 2, kernelSize: 3 })],
  })
  t.is(summaryOf(giant, false).length, 8)
  t.throws(() => summaryOf(giant, true), {
    instanceOf: RangeError,
    message: 'conv2d "conv2d_1": a tensor holds at most 2^40 elements. got shape [1, 2097152, 2097152, 1]',
  })
})
