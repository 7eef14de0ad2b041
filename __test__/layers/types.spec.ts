// What the compiler refuses, the library refuses as well.
import test from 'ava'
import { input, Layer, layers, model, type Shape, sequential, type Tensor, tensor } from 'ferrograd'

test('misspelt options are errors of the compiler and of the library', (t) => {
  // @ts-expect-error: strides
  t.throws(() => layers.conv2d({ filters: 1, kernelSize: 3, stride: 2 }))
  // @ts-expect-error: 'same'
  t.throws(() => layers.conv2d({ filters: 1, kernelSize: 3, padding: 'full' }))
  // @ts-expect-error: three sizes
  t.throws(() => layers.conv2d({ filters: 1, kernelSize: [3, 3, 3] }))
  // @ts-expect-error: units is missing
  t.throws(() => layers.dense({}))
  // @ts-expect-error: 'heNormal'
  t.throws(() => layers.dense({ units: 1, kernelInitializer: 'he_normal' }))
  // @ts-expect-error: 'l2'
  t.throws(() => layers.dense({ units: 1, kernelRegularizer: 'L2' }))
  // @ts-expect-error: 'relu'
  t.throws(() => layers.activation({ activation: 'Relu' }))
  // @ts-expect-error: units or filters
  t.throws(() => layers.maxout({ pieces: 2 }))
  // @ts-expect-error: targetShape
  t.throws(() => layers.reshape({ shape: [1] }))
  // @ts-expect-error: a layer, not its factory
  t.throws(() => sequential({ layers: [layers.flatten] }))
  // @ts-expect-error: an array
  t.throws(() => input({ shape: 3 }))
  t.pass()
})

test('what comes out has the type of what went in', async (t) => {
  class Sum extends Layer {
    override forward([a, b]: Tensor[]): Tensor {
      return layers.add().apply([a!, b!])
    }
    override outputShape(inputShape: readonly Shape[]): Shape {
      return inputShape[0]!
    }
  }
  const x = input({ shape: [2] })
  const one = model({ inputs: x, outputs: new Sum().apply([x, x]) })
  const two = model({ inputs: x, outputs: [x, layers.flatten().apply(x)] })
  const y: Tensor = one.forward(tensor([[1, 2]]))
  const [a, b]: Tensor[] = two.forward(tensor([[1, 2]]))
  t.deepEqual(await y.array(), [[2, 4]])
  t.deepEqual(await a!.array(), await b!.array())
  const shape: Shape | undefined = one.outputShape
  const shapes: readonly Shape[] | undefined = two.outputShape
  t.deepEqual(
    [shape, ...shapes!],
    [
      [null, 2],
      [null, 2],
      [null, 2],
    ],
  )
})
