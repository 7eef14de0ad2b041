import test from 'ava'
import { datasets, memory, preprocessing, ShapeError, scope, sub, tensor, zeros } from 'ferrograd'
import { normal, values } from '../helpers/values.js'

const { pca, pipeline, standardize, whiten, zca, zeroCenter } = preprocessing

test('a pipeline does what its steps do one after the other', async (t) => {
  const x = normal([50, 6, 5, 2], 4)
  const both = await pipeline([standardize({ per: 'channel' }), zca({ epsilon: 0.1 }), pca({ components: 8 })]).fit(x)
  const [a, b, c] = [standardize({ per: 'channel' }), zca({ epsilon: 0.1 }), pca({ components: 8 })]
  const first = (await a.fit(x)).transform(x)
  const second = (await b.fit(first)).transform(first)
  const third = (await c.fit(second)).transform(second)
  const y = both.transform(x)
  t.deepEqual(y.shape, [50, 8])
  t.deepEqual(await values(y), await values(third))
  t.deepEqual(await values(both.inverse(y)), await values(a.inverse(b.inverse(c.inverse(third)))))
  t.deepEqual(await values(both.steps[2]!.transform(second)), await values(third))
})

test('pipelines nest, and name their statistics by the number of the step', async (t) => {
  const x = normal([20, 5], 4)
  const nested = await pipeline([pipeline([zeroCenter(), standardize()]), whiten({ components: 3 })]).fit(x)
  t.deepEqual(Object.keys(nested.statistics()).sort(), [
    '0.0.mean',
    '0.1.mean',
    '0.1.stdDev',
    '1.components',
    '1.explainedVariance',
    '1.mean',
  ])
  t.deepEqual(nested.config(), {
    steps: [
      {
        kind: 'pipeline',
        config: {
          steps: [
            { kind: 'zeroCenter', config: { per: 'pixel' } },
            { kind: 'standardize', config: { per: 'pixel' } },
          ],
        },
      },
      { kind: 'whiten', config: { epsilon: 1e-5, components: 3 } },
    ],
  })
  t.deepEqual(nested.transform(x).shape, [20, 3])
})

// Alone, because they count tensors.
test.serial('an error in a later step leaves the pipeline as it was', async (t) => {
  const chain = pipeline([zeroCenter(), pca({ components: 4 })])
  const [few, more] = [normal([3, 8], 1), normal([9, 8], 1)]
  const before = memory().tensors
  await t.throwsAsync(() => chain.fit(few), {
    message: /^preprocessing\.pca: components is 4, but the training data vary in only 2 directions/,
  })
  t.false(chain.fitted)
  t.false(chain.steps[0]!.fitted)
  t.is(memory().tensors, before)
  await chain.fit(more)
  t.throws(() => chain.transform(zeros([2, 7])), {
    instanceOf: ShapeError,
    message: 'preprocessing.zeroCenter: x has shape [2, 7], but it was fitted on [N, 8]',
  })
  chain.dispose()
  t.false(chain.steps[1]!.fitted)
})

test.serial('transform works in a scope, and leaves nothing but its result', async (t) => {
  const { images } = datasets.digits().train
  const chain = await pipeline([zeroCenter(), zca({ epsilon: 0.01 })]).fit(images)
  const before = memory().tensors
  const y = scope(() => sub(chain.transform(images), chain.transform(images)))
  t.is(memory().tensors, before + 1)
  t.true((await y.data()).every((v) => v === 0))
  y.dispose()
  const fitted = await scope(() => ({
    promise: zca({ epsilon: 0.1 }).fit(
      tensor([
        [1, 2],
        [2, 1],
        [0, 0],
      ]),
    ),
  })).promise
  t.deepEqual(fitted.mean.shape, [2])
})
