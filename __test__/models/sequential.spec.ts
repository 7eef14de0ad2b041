// Layers in a row.
import test from 'ava'
import { type Layer, layers, ones, ShapeError, sequential, setSeed, zeros } from 'ferrograd'

test('layers can be given at once or one by one', async (t) => {
  setSeed(1)
  const one = sequential({ inputShape: [4], layers: [layers.dense({ units: 3 }), layers.dense({ units: 2 })] })
  setSeed(1)
  const other = sequential({ inputShape: [4] })
  t.is(other.outputShape, undefined)
  t.is(other.add(layers.dense({ units: 3 })), other)
  t.deepEqual(other.outputShape, [null, 3])
  other.add(layers.dense({ units: 2 }))
  t.deepEqual(other.outputShape, [null, 2])
  t.deepEqual(await one.forward(ones([1, 4])).array(), await other.forward(ones([1, 4])).array())
})

test('the first layer may know the shape of the input', (t) => {
  const net = sequential()
  net.add(layers.dense({ units: 3, inputShape: [4] })).add(layers.dense({ units: 1 }))
  t.deepEqual(net.inputShape, [null, 4])
  t.is(net.countParams(), 19)
})

test('without a shape the first input makes the weights', (t) => {
  const net = sequential({ layers: [layers.flatten(), layers.dense({ units: 3 }), layers.dense({ units: 1 })] })
  t.is(net.inputShape, undefined)
  t.is(net.outputShape, undefined)
  t.is(net.weights.length, 0)
  t.throws(() => net.countParams(), {
    message:
      "sequential: countParams needs the weights, which do not exist before the input's shape is known. give inputShape, or call it on data first",
  })
  t.throws(() => net.summary(), { instanceOf: ShapeError })
  t.deepEqual(net.forward(zeros([2, 2, 2])).shape, [2, 1])
  t.deepEqual(net.inputShape, [null, 2, 2])
  t.is(net.countParams(), 19)
  net.add(layers.dense({ units: 5 }))
  t.deepEqual(net.forward(zeros([3, 2, 2])).shape, [3, 5])
  t.throws(() => net.forward(zeros([2, 4])), {
    message:
      'sequential: the input does not fit its first layer, flatten "flatten_1". got [2, 4], expected [null, 2, 2]. reshape(x, [-1, 2, 2]) has the same numbers',
  })
})

test('an input of the wrong shape does not spoil a model that waits for one', (t) => {
  const net = sequential({
    layers: [layers.dense({ units: 4 }), layers.reshape({ targetShape: [2, 2] }), layers.dense({ units: 1 })],
  })
  t.throws(() => net.forward(zeros([1, 3, 5])), {
    message: 'reshape "reshape_1": the 12 numbers of an example do not fill targetShape [2, 2]. input [null, 3, 4]',
  })
  t.deepEqual(net.forward(zeros([1, 7])).shape, [1, 2, 1])
})

test('float64 by option or by input', (t) => {
  const make = () => [layers.dense({ units: 2 })]
  t.is(sequential({ inputShape: [2], layers: make(), dtype: 'float64' }).weights[0]!.dtype, 'float64')
  const net = sequential({ layers: make() })
  net.forward(zeros([1, 2], { dtype: 'float64' }))
  t.is(net.dtype, 'float64')
  t.throws(() => sequential({ layers: make(), dtype: 'float64' }).forward(zeros([1, 2])), {
    message:
      "sequential: the input has dtype float32, but the weights are float64. cast it: cast(x, { dtype: 'float64' })",
  })
})

test('names count within the model', (t) => {
  const make = () =>
    sequential({
      inputShape: [2],
      layers: [
        layers.dense({ units: 2 }),
        layers.dense({ units: 2, name: 'dense_2' }),
        layers.dense({ units: 2 }),
        layers.activation({ activation: 'relu' }),
      ],
    })
  for (const net of [make(), make()]) {
    t.deepEqual(
      net.layers.map((layer) => layer.name),
      ['dense_1', 'dense_2', 'dense_3', 'activation_1'],
    )
    t.deepEqual(
      net.weights.map((w) => w.name),
      ['dense_1/kernel', 'dense_1/bias', 'dense_2/kernel', 'dense_2/bias', 'dense_3/kernel', 'dense_3/bias'],
    )
  }
  t.is(make().getLayer('dense_3').kind, 'dense')
})

test('what cannot be in a row is refused', (t) => {
  const layer = layers.dense({ units: 2, name: 'd' })
  const inner = sequential({ inputShape: [2], name: 'inner' })
  const outer = sequential({ inputShape: [2], layers: [inner.add(layers.dense({ units: 2 }))], name: 'outer' })
  const cases: [() => unknown, string][] = [
    [() => sequential().forward(ones([1, 2])), 'sequential: has no layers. put some in with add(layer)'],
    [() => sequential({ layers: [] }).forward(ones([1, 2])), 'sequential: has no layers. put some in with add(layer)'],
    [
      () => sequential({ layers: layers.dense({ units: 1 }) as never }),
      'sequential: layers must be an array. got a Dense',
    ],
    [() => sequential({ layers: [3 as never] }), 'sequential: layers must be layers or models. layer 0 is 3'],
    [
      () => sequential({ layers: [layers.dense as never] }),
      'sequential: layers must be layers or models. layer 0 is function dense',
    ],
    [
      () => sequential({ layers: [layer, layer], name: 'net' }),
      'sequential "net": dense "d" is in it already. make a second layer, or share one in a graph: layer.apply(x)',
    ],
    [
      () => sequential({ layers: [layers.dense({ units: 1, name: 'd' }), layers.dense({ units: 1, name: 'd' })] }),
      'sequential: two layers are called "d". give one of them another name',
    ],
    [() => outer.add(outer), 'sequential "outer": a model cannot be inside itself'],
    [() => inner.add(outer), 'sequential "inner": a model cannot be inside itself'],
    [
      () => sequential({ layer: [] } as never),
      'sequential: there is no option layer (got []). valid are layers, inputShape, name and dtype',
    ],
    [
      () => sequential({ inputShape: [3, 3], layers: [layers.conv2d({ filters: 1, kernelSize: 3, name: 'stem' })] }),
      'conv2d "stem": the input must have 4 axes (N, H, W, C). got [null, 3, 3]. reshape gives images a channel axis: [N, H, W, 1]',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
  t.is(outer.layers.length, 1)
})

test('a layer that does not fit is not added', (t) => {
  const net = sequential({ inputShape: [4], layers: [layers.dense({ units: 3 })] })
  const wrong: Layer = layers.reshape({ targetShape: [2, 2] })
  t.throws(() => net.add(wrong), { message: /do not fill/ })
  t.is(net.layers.length, 1)
  t.deepEqual(net.forward(zeros([1, 4])).shape, [1, 3])
  net.add(layers.reshape({ targetShape: [3, 1] }))
  t.deepEqual(net.outputShape, [null, 3, 1])
})
