// The course's networks, with its weights, inputs and regularisation: scores and losses.

import {
  add,
  type DType,
  layers,
  losses,
  matmul,
  models,
  ones,
  optimizers,
  regularizers,
  relu,
  reshape,
  type Sequential,
  sequential,
  type Tensor,
  transpose,
  zeros,
} from 'ferrograd'
import {
  assertCourse,
  type CourseVector,
  columnStatistics,
  courseImages,
  courseTensor,
  testCourse,
} from '../helpers/course.js'
import { groupNorm } from '../helpers/group-norm.js'
import { values } from '../helpers/values.js'

testCourse('affine_forward_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const out = add(matmul(reshape(given('x'), [2, -1]), given('w')), given('b'))
  assertCourse(t, vector, 'out', await values(out), precision)

  const model = sequential({
    inputShape: [4, 5, 6],
    layers: [layers.flatten(), layers.dense({ units: 3 })],
    dtype: precision,
  })
  model.setWeights([given('w'), given('b')])
  assertCourse(t, vector, 'out', await values(model.forward(given('x'))), precision)
})

testCourse('relu_forward_linspace', async (t, vector, precision) => {
  assertCourse(t, vector, 'out', await values(relu(courseTensor(vector, 'x', precision))), precision)
})

/** `models.twoLayerNet` with the vector's weights and `l2` · Σ W². */
function twoLayerNet(vector: CourseVector, dtype: 'float32' | 'float64', l2: number): Sequential {
  const given = (name: string) => courseTensor(vector, name, dtype)
  const [[inputs, units], [, classes]] = [vector.inputs.W1!.shape, vector.inputs.W2!.shape] as [number[], number[]]
  const model = models.twoLayerNet({
    inputShape: [inputs!],
    units: units!,
    classes: classes!,
    kernelRegularizer: regularizers.l2({ l2 }),
    dtype,
  })
  model.setWeights([given('W1'), given('b1'), given('W2'), given('b2')])
  return model
}

/** The loss of the data and of the regularisation. */
function lossOf(model: Sequential, vector: CourseVector, dtype: DType): Promise<number> {
  const scores = model.forward(courseTensor(vector, 'X', dtype))
  const loss = losses.softmaxCrossEntropy(scores, courseTensor(vector, 'y', 'int32'))
  return add(loss, model.regularization()!).item()
}

testCourse('two_layer_net_linspace', async (t, vector, precision) => {
  const plain = twoLayerNet(vector, precision, 0)
  const scores = await values(plain.forward(courseTensor(vector, 'X', precision)))
  assertCourse(t, vector, 'scores', scores, precision)
  assertCourse(t, vector, 'loss_reg0', [await lossOf(plain, vector, precision)], precision, 10)
  const regularised = twoLayerNet(vector, precision, 0.5)
  assertCourse(t, vector, 'loss_reg1', [await lossOf(regularised, vector, precision)], precision, 10)
})

testCourse('toy_two_layer_net', async (t, vector, precision) => {
  const model = twoLayerNet(vector, precision, 0.05)
  assertCourse(t, vector, 'scores', await values(model.forward(courseTensor(vector, 'X', precision))), precision)
  assertCourse(t, vector, 'loss', [await lossOf(model, vector, precision)], precision, 11)
})

testCourse('toy_two_layer_net_training', async (t, vector, precision) => {
  // The course draws 200 of the five examples for each batch; the whole set has the same mean. The rate decays by 0.95
  // after each epoch, and there an epoch is one step.
  const model = twoLayerNet(vector, precision, 5e-6)
  const optimizer = optimizers.sgd({ learningRate: 0.1 })
  model.compile({ optimizer, loss: 'softmaxCrossEntropy' })
  const [x, y] = [courseTensor(vector, 'X', precision), courseTensor(vector, 'y', 'int32')]
  let loss = Number.NaN
  for (let step = 0; step < 100; step++) {
    optimizer.learningRate = 0.1 * 0.95 ** step
    loss = (await model.trainOnBatch(x, y)).loss
  }
  t.true(loss < 0.02, `the loss is ${loss}`)
})

for (const id of [
  'fcnet_initial_loss_reg0',
  'fcnet_initial_loss_reg3.14',
  'fcnet_batchnorm_initial_loss_reg0',
  'fcnet_batchnorm_initial_loss_reg3.14',
]) {
  testCourse(id, async (t, vector, dtype) => {
    const reg = id.endsWith('3.14') ? 3.14 : 0
    const model = sequential({ inputShape: [15], dtype })
    for (const [i, units] of [20, 30, 10].entries()) {
      model.add(layers.dense({ units, kernelRegularizer: regularizers.l2({ l2: reg / 2 }) }))
      if (i === 2) break
      if (id.includes('batchnorm')) model.add(layers.batchNorm({ epsilon: 1e-5 }))
      model.add(layers.activation({ activation: 'relu' }))
    }
    const dense = model.layers.filter((layer) => layer.kind === 'dense')
    dense.forEach((layer, i) => {
      layer.setWeights([courseTensor(vector, `W${i + 1}`, dtype), courseTensor(vector, `b${i + 1}`, dtype)])
    })
    const scores = model.forward(courseTensor(vector, 'X', dtype), { training: true })
    const loss = losses.softmaxCrossEntropy(scores, courseTensor(vector, 'y', 'int32'))
    assertCourse(t, vector, 'loss', [await add(loss, model.regularization()!).item()], dtype, 12)
  })
}

testCourse('spatial_groupnorm_seed231', async (t, vector, precision) => {
  const x = courseImages(vector, 'x', precision)
  const groups = async (y: Tensor) => {
    // Rows of one group of one sample each: [N, G, H · W · C / G].
    const data = await values(transpose(reshape(y, [2, 4, 5, 2, 3]), [0, 3, 1, 2, 4]))
    return Array.from({ length: 4 }, (_, row) => columnStatistics(data.slice(row * 60, (row + 1) * 60), 1))
  }
  const before = await groups(x)
  assertCourse(
    t,
    vector,
    'means_before',
    before.flatMap(({ means }) => means),
    precision,
  )
  assertCourse(
    t,
    vector,
    'stds_before',
    before.flatMap(({ deviations }) => deviations),
    precision,
  )
  const y = groupNorm(x, 2, ones([6], { dtype: precision }), zeros([6], { dtype: precision }))
  const after = await groups(y)
  assertCourse(
    t,
    vector,
    'stds_after',
    after.flatMap(({ deviations }) => deviations),
    precision,
  )
})
