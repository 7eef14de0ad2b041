// The class that layers extend: building, weights, names, and layers of one's own.
import test from 'ava'
import {
  add,
  backward,
  DTypeError,
  input,
  Layer,
  layers,
  memory,
  model,
  mul,
  noGrad,
  ones,
  relu,
  type Shape,
  ShapeError,
  sequential,
  setSeed,
  sum,
  type Tensor,
  tensor,
  type Variable,
  zeros,
} from 'ferrograd'

class Scale extends Layer {
  factor!: Variable
  override build(inputShape: Shape) {
    this.factor = this.addWeight('factor', [inputShape.at(-1)!], 'ones', { regularizer: 'l2' })
  }
  override forward(x: Tensor) {
    return mul(x, this.factor)
  }
}

class Residual extends Layer {
  first!: Layer
  second!: Layer
  constructor(private readonly units: number) {
    super()
  }
  override build(inputShape: Shape) {
    this.first = this.addLayer(layers.dense({ units: this.units, activation: 'relu' }), inputShape)
    this.second = this.addLayer(layers.dense({ units: inputShape.at(-1)! }), [null, this.units])
  }
  override forward(x: Tensor) {
    return add(x, this.second.apply(this.first.apply(x)))
  }
}

class Halves extends Layer<Tensor[]> {
  override forward(x: Tensor) {
    return [relu(x), mul(x, tensor(-1))]
  }
  override outputShape(inputShape: Shape) {
    return [inputShape, inputShape]
  }
}

test('a layer of one’s own has weights, gradients and a regularizer', async (t) => {
  const net = sequential({ inputShape: [3], layers: [new Scale(), new Scale({ name: 'again', trainable: false })] })
  t.deepEqual(
    net.layers.map((layer) => [layer.kind, layer.name]),
    [
      ['scale', 'scale_1'],
      ['scale', 'again'],
    ],
  )
  t.deepEqual(
    net.weights.map((w) => w.name),
    ['scale_1/factor', 'again/factor'],
  )
  t.deepEqual(
    net.trainableWeights.map((w) => w.name),
    ['scale_1/factor'],
  )
  net.setWeights([
    [1, 2, 3],
    [2, 2, 2],
  ])
  const y = net.forward(ones([2, 3]))
  t.deepEqual(await y.array(), [
    [2, 4, 6],
    [2, 4, 6],
  ])
  const gradients = backward(sum(y))
  t.deepEqual(await gradients.get(net.weights[0]!).array(), [4, 4, 4])
  t.false(gradients.has(net.weights[1]!))
  // Frozen weights carry no penalty.
  t.true(Math.abs((await net.regularization()!.item()) - 0.14) < 1e-6)
})

test('layers inside a layer count as its own', async (t) => {
  const block = new Residual(5)
  const net = sequential({ inputShape: [4], layers: [block, layers.dense({ units: 2 })] })
  t.is(net.countParams(), 4 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2)
  t.is(block.weights.length, 4)
  t.deepEqual(
    [...net.layers[0]!.weights].map((w) => w.shape),
    [[4, 5], [5], [5, 4], [4]],
  )
  const y = net.forward(ones([3, 4]))
  const gradients = backward(sum(y))
  for (const w of net.weights) t.deepEqual(gradients.get(w).shape, w.shape)
  block.trainable = false
  t.is(net.trainableWeights.length, 2)
  block.trainable = true
  t.is(net.trainableWeights.length, 6)
  t.deepEqual(await net.forward(zeros([0, 4])).array(), [])
})

test('a layer may put out several tensors', async (t) => {
  const x = input({ shape: [2] })
  const [a, b] = new Halves().apply(x)
  const net = model({ inputs: x, outputs: layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(a!) })
  t.deepEqual(await net.forward(tensor([[1, -2]])).array(), [[1]])
  t.deepEqual(b!.shape, [null, 2])
  const [, negative] = new Halves().apply(tensor([[1, -2]]))
  t.deepEqual(await negative!.array(), [[-1, 2]])
  t.throws(() => sequential({ inputShape: [2], layers: [new Halves() as never] }), {
    instanceOf: ShapeError,
    message: 'sequential: halves "halves_1" has several outputs, which need a graph: model({ inputs, outputs })',
  })
})

test('a layer is built on first use, and serves whatever fits its weights', async (t) => {
  const layer = layers.dense({ units: 2, kernelInitializer: 'ones' })
  t.false(layer.built)
  t.throws(() => layer.countParams(), {
    message:
      "dense: countParams needs the weights, which do not exist before the input's shape is known. give inputShape, or call it on data first",
  })
  t.deepEqual(await layer.apply(ones([1, 3])).array(), [[3, 3]])
  t.is(layer.countParams(), 8)
  t.deepEqual(layer.apply(ones([5, 4, 3])).shape, [5, 4, 2])
  t.throws(() => layer.apply(ones([1, 4])), {
    instanceOf: ShapeError,
    message: 'dense: its weights were made for inputs of shape [null, 3] and do not fit [null, 4]. make a second layer',
  })
  t.throws(() => layer.apply(ones([1, 3], { dtype: 'float64' })), {
    instanceOf: DTypeError,
    message: 'dense: its weights are float32, but the input is float64. give both the same dtype',
  })
  // A custom layer knows less about its weights: all but the batch must be the same.
  const scale = new Scale()
  scale.apply(ones([2, 5, 3]))
  scale.apply(ones([7, 5, 3]))
  t.throws(() => scale.apply(ones([2, 6, 3])), {
    message:
      'scale: its weights were made for inputs of shape [null, 5, 3] and do not fit [null, 6, 3]. make a second layer',
  })
  // Without weights everything fits.
  const activation = layers.activation({ activation: 'relu' })
  activation.apply(ones([2, 3]))
  activation.apply(ones([2, 4, 4, 1]))
  activation.apply(ones([2, 3], { dtype: 'float64' }))
})

test('float64 flows through', async (t) => {
  const x = input({ shape: [3], dtype: 'float64' })
  const net = model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(x) })
  t.is(net.dtype, 'float64')
  t.true(net.weights.every((w) => w.dtype === 'float64'))
  t.is(net.forward(ones([1, 3], { dtype: 'float64' })).dtype, 'float64')
  t.throws(() => net.forward(ones([1, 3])), {
    instanceOf: DTypeError,
    message: "model: the input has dtype float32, but the weights are float64. cast it: cast(x, { dtype: 'float64' })",
  })
  const single = layers.dense({ units: 1 })
  single.apply(ones([1, 2], { dtype: 'float64' }))
  t.is(single.weights[0]!.dtype, 'float64')
})

test('a failed build leaves nothing behind', (t) => {
  class Picky extends Layer {
    override build(inputShape: Shape) {
      this.addWeight('first', [1000], 'zeros')
      this.addWeight('second', [inputShape.at(-1)! - 2], 'zeros')
    }
    override forward(x: Tensor) {
      return x
    }
  }
  const before = memory().tensors
  const layer = new Picky()
  t.throws(() => layer.apply(ones([1, 1])), {
    instanceOf: RangeError,
    message: 'picky: weight "second": every dimension of a shape is a whole number from 0. got [-1]',
  })
  t.is(layer.weights.length, 0)
  layer.apply(ones([1, 3]))
  t.is(layer.weights.length, 2)
  layer.dispose()
  t.true(memory().tensors - before <= 3)
})

test('errors of ops say in which layer they were', (t) => {
  class Broken extends Layer {
    override forward(x: Tensor) {
      return mul(x, zeros([7]))
    }
  }
  t.throws(() => new Broken({ name: 'b' }).apply(ones([1, 3])), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message:
      'broken "b": mul: sizes 3 and 7 do not broadcast. a [1, 3], b [7]. counted from the last axis, sizes must be equal or one of them 1',
  })
  const error = t.throws(() => sequential({ inputShape: [3], layers: [new Broken()] }).forward(ones([1, 3])))
  t.true(error.message.startsWith('broken "broken_1": mul: sizes'))
  t.true(error.stack!.includes(error.message))
  class Careless extends Layer {
    override forward(x: Tensor): Tensor {
      return (x as unknown as { nothing: { at(): Tensor } }).nothing.at()
    }
  }
  // A mistake in somebody's code is theirs to read as it is.
  t.throws(() => new Careless().apply(ones([1, 3])), { message: /Cannot read properties of undefined/ })
})

test('mistakes in layers of one’s own', (t) => {
  class Wide extends Layer {
    override forward(x: Tensor) {
      return mul(x, ones([2, 1, 1]))
    }
  }
  class Nothing extends Layer {
    override forward(): Tensor {
      return undefined as never
    }
  }
  class Async extends Layer {
    override forward(x: Tensor): Tensor {
      return Promise.resolve(x) as never
    }
  }
  class Early extends Layer {
    constructor() {
      super()
      this.addWeight('w', [1], 'zeros')
    }
    override forward(x: Tensor) {
      return x
    }
  }
  class Twice extends Layer {
    override build() {
      this.addWeight('w', [1], 'zeros')
      this.addWeight('w', [1], 'zeros')
    }
    override forward(x: Tensor) {
      return x
    }
  }
  class Inside extends Layer {
    override build(inputShape: Shape) {
      this.addLayer(this, inputShape)
    }
    override forward(x: Tensor) {
      return x
    }
  }
  class Shapeless extends Layer {
    override forward(x: Tensor) {
      return x
    }
    override outputShape(): Shape {
      return 3 as never
    }
  }
  class Odd extends Layer {
    override build() {
      this.addWeight('w', [2], { initialize: () => zeros([3]) })
    }
    override forward(x: Tensor) {
      return x
    }
  }
  const x = ones([1, 3])
  const cases: [() => unknown, string][] = [
    [
      () => sequential({ inputShape: [3], layers: [new Wide()] }).forward(x),
      'wide "wide_1": forward returned shape [2, 1, 3], but outputShape says [null, 3]. override outputShape(inputShape)',
    ],
    [
      () => new Nothing().apply(x),
      'nothing: the result of forward must be a Tensor. got undefined. make one with tensor(values)',
    ],
    [
      () => new Async().apply(x),
      'async: the result of forward must be a Tensor. got a Promise. make one with tensor(values)',
    ],
    [() => new Early(), "early: addWeight belongs in build, where the input's shape and dtype are known"],
    [() => new Twice().apply(x), 'twice: there is a weight "w" already'],
    [() => new Inside().apply(x), 'inside: a layer cannot be inside itself'],
    [
      () => new Shapeless().apply(input({ shape: [3] })),
      'shapeless: outputShape must return a shape, batch first. got 3',
    ],
    [() => new Odd().apply(x), 'odd: weight "w": the initializer made float32 [3]. expected float32 [2]'],
    [() => new Scale({ name: '' }), 'layer: name must not be empty or contain a slash. got ""'],
    [() => new Scale({ name: 'a/b' }), 'layer: name must not be empty or contain a slash. got "a/b"'],
    [() => new Scale({ name: 3 as never }), 'layer: name must be a string. got 3'],
    [() => new Scale({ trainable: 1 as never }), 'scale: trainable must be true or false. got 1'],
    [
      () => new Scale({ inputShape: 3 as never }),
      'scale: inputShape must be an array of sizes without the batch, such as [28, 28, 1]. got 3',
    ],
    [
      () => new Scale({ inputShape: [1.5] }),
      'scale: every size of inputShape is a whole number from 0, or null where it is free. got [1.5]',
    ],
    [() => new Scale().apply([]), 'scale: needs at least one input. got []'],
    [() => new Scale().apply(3 as never), 'scale: x must be a Tensor. got 3. make one with tensor(values)'],
    [
      () => new Scale().apply(tensor(1)),
      'scale: the input needs an axis for the batch. got shape []. reshape(x, [1, …]) adds one',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('a layer of one’s own may call its members as it likes', async (t) => {
  class Busy extends Layer {
    options = { by: 2 }
    state = 0
    own = 1
    inner = 2
    label = 'busy'
    run() {
      return this.options.by
    }
    reset() {
      this.state = 0
    }
    prepare = 'mine'
    override build() {
      this.addWeight('w', [1], 'ones')
    }
    override forward(x: Tensor) {
      this.state++
      return mul(x, tensor(this.run()))
    }
  }
  const layer = new Busy({ name: 'b' })
  const net = sequential({ inputShape: [1], layers: [layer] })
  t.deepEqual(await net.forward(ones([1, 1])).array(), [[2]])
  t.is(layer.state, 1)
  t.is(net.countParams(), 1)
})

test('the same seed gives the same weights', async (t) => {
  const build = async () => {
    setSeed(3)
    const net = sequential({ inputShape: [5], layers: [layers.dense({ units: 4 }), new Residual(3)] })
    return Promise.all(net.weights.map((w) => w.array()))
  }
  t.deepEqual(await build(), await build())
})

test('freezing stops the recording', (t) => {
  const layer = layers.dense({ units: 2, trainable: false, inputShape: [2] })
  const net = sequential({ layers: [layer] })
  t.throws(() => backward(sum(net.forward(ones([1, 2])))), { code: 'ERR_GRADIENT' })
  layer.trainable = true
  t.is(backward(sum(net.forward(ones([1, 2])))).get(net.weights[1]!).size, 2)
  t.throws(() => noGrad(() => backward(sum(net.forward(ones([1, 2]))))), { code: 'ERR_GRADIENT' })
})
