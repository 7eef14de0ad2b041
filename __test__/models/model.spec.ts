// Graphs of layers: what they compute, own and refuse.
import test from 'ava'
import {
  add,
  backward,
  input,
  layers,
  type Model,
  matmul,
  memory,
  model,
  ones,
  relu,
  ShapeError,
  scope,
  sequential,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'ferrograd'

/** Compares the gradient of every weight with central differences, in float64. */
async function worstGradient(net: Model, x: Tensor | Tensor[]): Promise<number> {
  const lossOf = (training: boolean) => sum(square(net.forward(x, { training })))
  const gradients = backward(lossOf(true))
  const start = await Promise.all(net.weights.map((w) => w.data()))
  let worst = 0
  for (const [i, w] of net.weights.entries()) {
    if (!w.trainable) continue
    const exact = await gradients.get(w).data()
    for (let element = 0; element < w.size; element++) {
      const at = async (offset: number) => {
        const moved = Float64Array.from(start[i]!)
        moved[element]! += offset
        net.setWeights(start.map((data, j) => (j === i ? moved : data)))
        const loss = scope(() => lossOf(true))
        return loss.item()
      }
      const numeric = ((await at(1e-6)) - (await at(-1e-6))) / 2e-6
      const error = Math.abs(numeric - exact[element]!) / Math.max(1e-2, Math.abs(numeric), Math.abs(exact[element]!))
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error)
    }
  }
  net.setWeights(start)
  return worst
}

const wave = (shape: number[], scale = 1) => {
  const size = shape.reduce((product, n) => product * n, 1)
  return tensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + 0.3) * scale),
    { shape },
  )
}

test('branches, shared layers, several inputs and outputs', async (t) => {
  const [a, b] = [input({ shape: [2], name: 'left' }), input({ shape: [2], name: 'right' })]
  const shared = layers.dense({ units: 2, kernelInitializer: 'identity', biasInitializer: 'ones', name: 'shared' })
  const join = layers.dense({ units: 1, kernelInitializer: 'ones', name: 'join' })
  const [u, v] = [shared.apply(a), shared.apply(b)]
  const net = model({ inputs: [a, b], outputs: [join.apply(u), v, join.apply(shared.apply(v))], name: 'siamese' })
  t.deepEqual(net.inputShape, [
    [null, 2],
    [null, 2],
  ])
  t.deepEqual(net.outputShape, [
    [null, 1],
    [null, 2],
    [null, 1],
  ])
  t.deepEqual(
    net.layers.map((layer) => layer.name),
    ['shared', 'join'],
  )
  t.is(net.countParams(), 6 + 3)
  const [x, y] = [tensor([[1, 2]]), tensor([[3, 4]])]
  const [first, second, third] = net.forward([x, y])
  t.deepEqual(await first!.array(), [[5]])
  t.deepEqual(await second!.array(), [[4, 5]])
  t.deepEqual(await third!.array(), [[11]])
  const gradients = backward(sum(third!))
  // Two uses: 4 + 5 from the second, 3 + 4 from the first, both through a kernel of ones.
  t.deepEqual(await gradients.get(net.getLayer('shared').weights[1]!).array(), [2, 2])
})

test.serial('what lies between is freed, what comes out stays', (t) => {
  const x = input({ shape: [8] })
  const hidden = layers.dense({ units: 8, activation: 'tanh' }).apply(x)
  const deep = layers.dense({ units: 8 }).apply(layers.dense({ units: 8 }).apply(hidden))
  const net = model({ inputs: x, outputs: [deep, hidden, x] })
  net.trainable = false
  const data = ones([4, 8])
  const before = memory().tensors
  const [last, middle, same] = net.forward(data)
  t.is(memory().tensors - before, 2)
  t.is(same, data)
  t.deepEqual(last!.shape, [4, 8])
  t.deepEqual(middle!.shape, [4, 8])
  last!.dispose()
  middle!.dispose()
  t.is(memory().tensors, before)
})

test.serial('forward and backward of a scope leave nothing behind', (t) => {
  const net = sequential({
    inputShape: [6, 6, 2],
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ units: 2, activation: 'sigmoid' }),
    ],
  })
  const data = ones([4, 6, 6, 2])
  const step = () => scope(() => backward(sum(net.forward(data, { training: true }))).dispose())
  step()
  const before = memory().tensors
  for (let i = 0; i < 5; i++) step()
  t.is(memory().tensors, before)
  net.dispose()
  t.is(memory().tensors, before - 4)
})

test('a layer that returns its input, or a weight, keeps both alive', async (t) => {
  const x = input({ shape: [2] })
  const linear = layers.activation({ activation: 'linear' })
  const y = linear.apply(layers.dense({ units: 2, kernelInitializer: 'identity' }).apply(x))
  const net = model({
    inputs: x,
    outputs: layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(linear.apply(y)),
  })
  const data = tensor([[1, 2]])
  t.deepEqual(await net.forward(data).array(), [[3]])
  t.deepEqual(await data.array(), [[1, 2]])
  const same = sequential({ inputShape: [2], layers: [layers.activation({ activation: 'linear' })] })
  t.is(same.forward(data), data)
  t.is(same.apply(data), data)
  t.deepEqual(await data.array(), [[1, 2]])
})

test('models nest', async (t) => {
  const encoder = sequential({ inputShape: [4], layers: [layers.dense({ units: 3, activation: 'relu' })] })
  const x = input({ shape: [4] })
  const decoder = model({ inputs: x, outputs: layers.dense({ units: 4 }).apply(encoder.apply(x)) })
  const outer = sequential({ layers: [decoder, sequential({ layers: [layers.dense({ units: 1 })] })] })
  t.deepEqual(outer.inputShape, [null, 4])
  t.deepEqual(outer.outputShape, [null, 1])
  t.is(outer.countParams(), 15 + 16 + 5)
  t.deepEqual(
    outer.layers.map((layer) => layer.name),
    ['model_1', 'sequential_1'],
  )
  t.deepEqual(
    [...(outer as unknown as { $namedWeights(): Map<string, unknown> }).$namedWeights().keys()],
    [
      'model_1/sequential_1/dense_1/kernel',
      'model_1/sequential_1/dense_1/bias',
      'model_1/dense_1/kernel',
      'model_1/dense_1/bias',
      'sequential_1/dense_1/kernel',
      'sequential_1/dense_1/bias',
    ],
  )
  const [k1, b1, k2, b2, k3, b3] = outer.weights as readonly Tensor[] as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ]
  const data = tensor([[1, -2, 3, 0.5]])
  const hidden = relu(matmul(data, k1, { bias: b1 }))
  const expected = matmul(matmul(hidden, k2, { bias: b2 }), k3, { bias: b3 })
  t.deepEqual(await outer.forward(data).array(), await expected.array())
  encoder.trainable = false
  t.is(outer.trainableWeights.length, 4)
  outer.trainable = true
  t.is(outer.trainableWeights.length, 6)
})

test('gradients flow through every kind of path', async (t) => {
  const x = input({ shape: [5, 5, 2], dtype: 'float64' })
  const stem = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'tanh' }).apply(x)
  const shared = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', groups: 2, dilationRate: 2 })
  const twice = shared.apply(shared.apply(stem))
  const separable = layers
    .separableConv2d({ filters: 3, kernelSize: 3, strides: 2, activation: 'sigmoid' })
    .apply(twice)
  const depthwise = layers
    .depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'softplus' })
    .apply(separable)
  const flat = layers.flatten().apply(layers.reshape({ targetShape: [2, -1] }).apply(depthwise))
  const net = model({ inputs: x, outputs: layers.dense({ units: 2, activation: 'swish' }).apply(flat) })
  const error = await worstGradient(net, wave([2, 5, 5, 2]))
  t.true(error < 1e-6, String(error))
})

test('gradients flow through pooling, normalisation and joints', async (t) => {
  const x = input({ shape: [6, 6, 2], dtype: 'float64' })
  const stem = layers.conv2d({ filters: 4, kernelSize: 3, kernelInitializer: 'orthogonal' }).apply(x)
  const normal = layers.batchNorm({ betaInitializer: 'randomNormal' }).apply(stem)
  const pooled = layers.maxPool2d({ poolSize: 2 }).apply(layers.leakyRelu().apply(normal))
  const padded = layers
    .zeroPadding2d({
      padding: [
        [0, 1],
        [1, 0],
      ],
    })
    .apply(pooled)
  const mean = layers.avgPool2d({ poolSize: 2, strides: 1 }).apply(padded)
  const large = layers
    .upSampling2d({ size: [1, 2] })
    .apply(layers.maxout({ filters: 2, kernelSize: 1, pieces: 3 }).apply(mean))
  const joined = layers.concatenate({ axis: 2 }).apply([large, layers.activation({ activation: 'gelu' }).apply(large)])
  const spread = layers
    .convTranspose2d({ filters: 3, kernelSize: 3, strides: 2, padding: 1, activation: 'tanh' })
    .apply(joined)
  const layered = layers.layerNorm().apply(spread)
  const both = layers.add().apply([layers.globalAvgPool2d().apply(layered), layers.globalMaxPool2d().apply(layered)])
  const net = model({ inputs: x, outputs: layers.dense({ units: 3, activation: 'softmax' }).apply(both) })
  const error = await worstGradient(net, wave([3, 6, 6, 2]))
  t.true(error < 1e-5, String(error))
})

test('weights go round', async (t) => {
  const build = () =>
    sequential({
      inputShape: [4, 4, 1],
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 3, name: 'stem' }),
        layers.flatten(),
        layers.dense({ units: 3, name: 'head' }),
      ],
    })
  const [a, b] = [build(), build()]
  const x = wave([2, 4, 4, 1])
  const x32 = tensor(Float32Array.from((await x.data()) as Float64Array), { shape: x.shape })
  t.notDeepEqual(await a.forward(x32).array(), await b.forward(x32).array())
  const copies = a.getWeights()
  b.setWeights(copies)
  t.deepEqual(await a.forward(x32).array(), await b.forward(x32).array())
  // They are copies: changing the model does not change them.
  const before = await copies[2]!.array()
  a.setWeights([zeros([3, 3, 1, 2]), new Float32Array(2), new Float64Array(24), [1, 2, 3]])
  t.deepEqual(await copies[2]!.array(), before)
  t.deepEqual(await a.forward(x32).array(), [
    [1, 2, 3],
    [1, 2, 3],
  ])
  for (const copy of copies) copy.dispose()

  const shapes = 'they are "stem/kernel" [3, 3, 1, 2], "stem/bias" [2], "head/kernel" [8, 3], "head/bias" [3]'
  const good = () => a.getWeights()
  const cases: [() => unknown, string][] = [
    [() => a.setWeights([]), `sequential: setWeights expects 4 weights. got 0. ${shapes}`],
    [() => a.setWeights(3 as never), 'sequential: setWeights expects an array, one item for each weight. got 3'],
    [
      () => a.setWeights(good().with(2, zeros([3, 8]))),
      'sequential: setWeights: "head/kernel" [8, 3] cannot take values of shape [3, 8]',
    ],
    [
      () => a.setWeights(good().with(0, new Float32Array(17) as never)),
      'sequential: setWeights: "stem/kernel" [3, 3, 1, 2] has 18 elements. got a typed array of 17',
    ],
    [
      () => a.setWeights(good().with(3, [[1, 2, 3]] as never)),
      'sequential: setWeights: "head/bias" [3] cannot take values of shape [1, 3]',
    ],
    [
      () => a.setWeights(good().with(3, zeros([3], { dtype: 'float64' }))),
      'sequential: setWeights: "head/bias" has dtype float32. got a float64 tensor',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
  // Nothing was changed by the failures.
  t.deepEqual(await a.weights[3]!.array(), [1, 2, 3])
})

test('a graph that cannot be is refused', (t) => {
  const x = input({ shape: [3], name: 'pixels' })
  const other = input({ shape: [4] })
  const y = layers.dense({ units: 2 }).apply(x)
  const cases: [() => unknown, string][] = [
    [() => model({ inputs: [], outputs: y }), 'model: inputs must not be empty'],
    [() => model({ inputs: x, outputs: [] }), 'model: outputs must not be empty'],
    [
      () => model({ inputs: x, outputs: ones([1]) as never }),
      'model: outputs must be symbolic tensors, from input({ shape }) and layer.apply(x). outputs[0] is a Tensor',
    ],
    [
      () => model({ inputs: other, outputs: y, name: 'm' }),
      'model "m": the outputs depend on the input "pixels" of shape [null, 3], which is not among the inputs. add it to inputs',
    ],
    [
      () => model({ inputs: [x, other], outputs: y }),
      'model: no output depends on the input of shape [null, 4]. leave it out of inputs',
    ],
    [() => model({ inputs: [x, x], outputs: y }), 'model: the same tensor is among the inputs twice'],
    [
      () => model({ input: x, outputs: y } as never),
      'model: there is no option input (got a SymbolicTensor). valid are inputs, outputs and name',
    ],
    [
      () =>
        model({
          inputs: x,
          outputs: layers.dense({ units: 1, name: 'd' }).apply(layers.dense({ units: 1, name: 'd' }).apply(x)),
        }),
      'model: two layers are called "d". give one of them another name',
    ],
    [
      () => layers.dense({ units: 1 }).apply([x, ones([1, 3])] as never),
      'dense: tensors and symbolic tensors cannot be mixed. x[0] is a SymbolicTensor [null, 3]',
    ],
    [
      () => layers.dense({ units: 1 }).apply([x, other]),
      'dense: takes one input. got 2. join them first with add or concatenate',
    ],
    [
      () => layers.dense({ units: 1, name: 'd' }).apply(input({ shape: [null] })),
      'dense "d": the size of axis 1 must be known, because weights depend on it. input [null, null]',
    ],
    [
      () => input({ shape: [2], dtype: 'int32' as never }),
      "input: dtype must be 'float32' or 'float64'. got \"int32\"",
    ],
    [
      () => input({ shape: [-1] }),
      'input: every size of shape is a whole number from 0, or null where it is free. got [-1]',
    ],
    [
      () => input({ shape: 3 as never }),
      'input: shape must be an array of sizes without the batch, such as [28, 28, 1]. got 3',
    ],
    [
      () => model({ inputs: [x], outputs: y }).getLayer('nobody'),
      'model: there is no layer "nobody". its layers are dense_1',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('inputs are checked before anything is queued', (t) => {
  const [a, b] = [input({ shape: [4, 4, 1], name: 'image' }), input({ shape: [3] })]
  const flat = layers.dense({ units: 3, name: 'head' }).apply(layers.flatten({ name: 'flat' }).apply(a))
  const inner = layers.dense({ units: 3, name: 'side' }).apply(b)
  const net = model({ inputs: [a, b], outputs: [flat, inner], name: 'net' })
  const good = [zeros([2, 4, 4, 1]), zeros([2, 3])]
  net.forward(good)
  const cases: [() => unknown, string][] = [
    [() => net.forward(good[0]!), 'model "net": takes 2 inputs. got 1'],
    [
      () => net.forward([zeros([2, 4, 4, 3]), good[1]!]),
      'model "net": input "image" does not fit its first layer, flatten "flat". got [2, 4, 4, 3], expected [null, 4, 4, 1] (N, H, W, C)',
    ],
    [
      () => net.forward([zeros([4, 4, 1]), good[1]!]),
      'model "net": input "image" does not fit its first layer, flatten "flat". got [4, 4, 1], expected [null, 4, 4, 1] (N, H, W, C). make it a batch of one: reshape(x, [1, 4, 4, 1])',
    ],
    [
      () => net.forward([zeros([2, 16]), good[1]!]),
      'model "net": input "image" does not fit its first layer, flatten "flat". got [2, 16], expected [null, 4, 4, 1] (N, H, W, C). reshape(x, [-1, 4, 4, 1]) has the same numbers',
    ],
    [
      () => net.forward([good[0]!, zeros([2, 4])]),
      'model "net": input 1 does not fit its first layer, dense "side". got [2, 4], expected [null, 3] (N, features)',
    ],
    [
      () => net.forward([good[0]!, 3 as never]),
      'model "net": x[1] must be a Tensor. got 3. make one with tensor(values)',
    ],
    [
      () => net.forward(good, { train: true } as never),
      'model "net": forward: there is no option train (got true). valid are training',
    ],
    [() => net.forward(good, { training: 1 as never }), 'model "net": training must be true or false. got 1'],
    [() => net.apply([a]), 'model "net": takes inputs of shape [null, 4, 4, 1], [null, 3]. got [null, 4, 4, 1]'],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
  t.throws(() => net.forward([zeros([2, 4, 4, 3]), good[1]!]), { instanceOf: ShapeError })
})

test('sizes other than the batch may be free', async (t) => {
  const x = input({ shape: [null, null, 1] })
  const y = layers.conv2d({ filters: 2, kernelSize: 3, strides: 2 }).apply(x)
  t.deepEqual(y.shape, [null, null, null, 2])
  const net = model({ inputs: x, outputs: y })
  t.deepEqual(net.forward(zeros([1, 9, 7, 1])).shape, [1, 4, 3, 2])
  t.deepEqual(net.forward(zeros([2, 3, 3, 1])).shape, [2, 1, 1, 2])
  t.throws(() => net.forward(zeros([1, 2, 7, 1])), {
    message: /^conv2d "conv2d_1": a window of height 3 does not fit in an input of height 2,/,
  })
  const outer = sequential({ inputShape: [9, 9, 1], layers: [net, layers.flatten(), layers.dense({ units: 1 })] })
  t.deepEqual(outer.forward(zeros([3, 9, 9, 1])).shape, [3, 1])
})

test('an empty batch is a batch', async (t) => {
  const net = sequential({
    inputShape: [4, 4, 1],
    layers: [
      layers.conv2d({ filters: 2, kernelSize: 3, activation: 'relu' }),
      layers.reshape({ targetShape: [-1] }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  })
  const y = net.forward(zeros([0, 4, 4, 1]))
  t.deepEqual(y.shape, [0, 3])
  const gradients = backward(sum(y))
  t.deepEqual([...(await gradients.get(net.weights[3]!).data())], [0, 0, 0])
})

test('a model disposed of says so', (t) => {
  const net = sequential({ inputShape: [2], layers: [layers.dense({ units: 1, name: 'd' })] })
  {
    using same = net
    same.forward(ones([1, 2]))
  }
  t.throws(() => net.forward(ones([1, 2])), {
    code: 'ERR_DISPOSED',
    message:
      'dense "d": matmul: b is disposed (it had shape [2, 1]). return it from scope() to keep it, or dispose it later',
  })
})

test('regularizers of shared layers count once', async (t) => {
  const x = input({ shape: [2] })
  const shared = layers.dense({ units: 2, kernelInitializer: 'ones', kernelRegularizer: 'l2' })
  const net = model({ inputs: x, outputs: shared.apply(shared.apply(x)) })
  t.true(Math.abs((await net.regularization()!.item()) - 0.04) < 1e-7)
  const none = sequential({ inputShape: [2], layers: [layers.dense({ units: 1 })] })
  t.is(none.regularization(), undefined)
  const gradient = await backward(add(net.regularization()!, sum(net.forward(zeros([1, 2])))))
    .get(net.weights[0]!)
    .array()
  t.true(Math.abs((gradient as number[][])[0]![0]! - 0.02) < 1e-7)
})
