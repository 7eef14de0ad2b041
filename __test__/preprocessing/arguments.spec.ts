// What is wrong is said in full.
import test from 'ava'
import { type Preprocessing, preprocessing, ShapeError, type Tensor, tensor, zeros } from 'ferrograd'
import { normal } from '../helpers/values.js'

const { pca, pipeline, standardize, whiten, zca, zeroCenter } = preprocessing
const images = () => normal([10, 4, 3, 2], 1, 'float32')
const kinds: Record<string, () => Preprocessing> = { zeroCenter, standardize, pca, whiten, zca }

test('options', (t) => {
  const wrong: [() => unknown, string, string][] = [
    [
      () => zeroCenter({ per: 'image' as 'pixel' }),
      'TypeError',
      "preprocessing.zeroCenter: per must be 'pixel' or 'channel'. got \"image\"",
    ],
    [
      () => standardize({ axis: 0 } as object),
      'TypeError',
      'preprocessing.standardize: there is no option axis (got 0). valid are per',
    ],
    [
      () => pca({ epsilon: 1 } as object),
      'TypeError',
      'preprocessing.pca: there is no option epsilon (got 1). valid are components',
    ],
    [
      () => pca({ components: '3' as unknown as number }),
      'TypeError',
      'preprocessing.pca: components must be a number. got "3"',
    ],
    ...[0, 1.5, -1, Number.NaN].map((components): [() => unknown, string, string] => [
      () => whiten({ components }),
      'RangeError',
      `preprocessing.whiten: components must be a whole number from 1, or a share of the variance between 0 and 1. got ${components}`,
    ]),
    [() => whiten({ epsilon: -1 }), 'RangeError', 'preprocessing.whiten: epsilon must be 0 or more. got -1'],
    [
      () => zca({ epsilon: Number.POSITIVE_INFINITY }),
      'RangeError',
      'preprocessing.zca: epsilon must be 0 or more. got Infinity',
    ],
    [() => zca(null as unknown as object), 'TypeError', 'preprocessing.zca: expects an options object. got null'],
    [() => pipeline([]), 'TypeError', 'preprocessing.pipeline: expects an array with at least one step. got []'],
    [
      () => pipeline([zca(), 'pca' as unknown as Preprocessing]),
      'TypeError',
      'preprocessing.pipeline: steps[1] must be what one of preprocessing returns. got "pca"',
    ],
    [
      () => {
        const step = zeroCenter()
        return pipeline([step, zca(), step])
      },
      'TypeError',
      'preprocessing.pipeline: steps[0] and steps[2] are the same object. make one for each place',
    ],
  ]
  for (const [call, name, message] of wrong) t.throws(call, { name, message })
})

test('before fit nothing works, and the error says what to do', (t) => {
  for (const [kind, make] of Object.entries(kinds)) {
    for (const use of ['transform', 'inverse'] as const) {
      t.throws(() => make()[use](images()), {
        name: 'TypeError',
        message: `preprocessing.${kind}: ${use} needs statistics, and it has not been fitted. await fit(trainImages) first`,
      })
    }
  }
  t.throws(() => pipeline([zca()]).statistics(), {
    message:
      'preprocessing.pipeline: statistics needs statistics, and it has not been fitted. await fit(trainImages) first',
  })
  t.throws(() => pca().components, {
    message: 'preprocessing.pca: components needs statistics, and it has not been fitted. await fit(trainImages) first',
  })
})

test('what cannot be fitted on', async (t) => {
  const wrong: [Preprocessing, Tensor, string, string][] = [
    [
      zeroCenter(),
      [[1]] as unknown as Tensor,
      'TypeError',
      'preprocessing.zeroCenter: x must be a Tensor. got [[1]]. make one with tensor(values)',
    ],
    [
      zeroCenter(),
      zeros([3]),
      'ShapeError',
      'preprocessing.zeroCenter: fit takes images [N, height, width, channels] or flat data [N, features]. got shape [3]',
    ],
    [
      zeroCenter(),
      zeros([0, 3]),
      'ShapeError',
      'preprocessing.zeroCenter: there is nothing to fit on. x has shape [0, 3]',
    ],
    [pca(), zeros([3, 0]), 'ShapeError', 'preprocessing.pca: there is nothing to fit on. x has shape [3, 0]'],
    [
      standardize(),
      zeros([1, 2, 2, 1]),
      'ShapeError',
      'preprocessing.standardize: a standard deviation needs at least 2 values for each pixel. x has shape [1, 2, 2, 1]',
    ],
    [pca(), zeros([1, 3]), 'ShapeError', 'preprocessing.pca: a variance needs at least 2 samples. x has shape [1, 3]'],
    [
      whiten(),
      zeros([4, 3]),
      'RangeError',
      'preprocessing.whiten: the samples of the training data are all equal, so there is no direction of variance',
    ],
    [
      pca({ components: 4 }),
      normal([4, 9], 2),
      'RangeError',
      'preprocessing.pca: components is 4, but the training data vary in only 3 directions: 4 samples of 9 features, x [4, 9]. use at most 3, or leave components out to keep all',
    ],
    [
      pca({ components: 25 }),
      images(),
      'RangeError',
      'preprocessing.pca: components is 25, but the training data vary in only 9 directions: 10 samples of 24 features, x [10, 4, 3, 2]. use at most 9, or leave components out to keep all',
    ],
    [
      whiten({ components: 2 }),
      tensor([
        [1, 2],
        [2, 4],
      ]),
      'RangeError',
      'preprocessing.whiten: components is 2, but the training data vary in only 1 direction: 2 samples of 2 features, x [2, 2]. use at most 1, or leave components out to keep all',
    ],
    [
      zca({ epsilon: 0 }),
      images(),
      'RangeError',
      'preprocessing.zca: the training data vary in only 9 of 24 directions, and with epsilon 0 the others would be divided by 0. x has 10 samples [N, 4, 3, 2]. use an epsilon above 0',
    ],
    [
      pca(),
      tensor([[1e30], [-1e30]]),
      'RangeError',
      `preprocessing.pca: a variance of ${Math.fround(1e30) ** 2} is beyond what float32 statistics can tell. scale the training data, or cast them to float64`,
    ],
    [
      standardize(),
      tensor([[1e300], [-1e300]], { dtype: 'float64' }),
      'RangeError',
      'preprocessing.standardize: the numbers of the training data are so large that their squares overflow. scale them down first',
    ],
  ]
  for (const [step, x, name, message] of wrong) {
    await t.throwsAsync(() => step.fit(x), { name, message })
    t.false(step.fitted)
  }
})

test('NaN and infinity in training data are found', async (t) => {
  for (const [kind, make] of Object.entries(kinds)) {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = new Float32Array(2 * 4 * 3).fill(1)
      values[12 + 2 * 3 + 1] = bad
      await t.throwsAsync(() => make().fit(tensor(values, { shape: [2, 4, 3] })), {
        name: 'RangeError',
        message: `preprocessing.${kind}: the training data hold NaN or infinity, first at position [2, 1] of a sample. x has shape [2, 4, 3]. remove or replace such samples`,
      })
    }
  }
  await t.throwsAsync(() => zeroCenter({ per: 'channel' }).fit(tensor([[1, Number.NaN]])), {
    message:
      'preprocessing.zeroCenter: the training data hold NaN or infinity, first at channel 1. x has shape [1, 2]. remove or replace such samples',
  })
})

test('inputs unlike those fitted on', async (t) => {
  for (const [kind, make] of Object.entries(kinds)) {
    const fitted = await make().fit(images())
    t.throws(() => fitted.transform(zeros([5, 24])), {
      instanceOf: ShapeError,
      message: `preprocessing.${kind}: x has shape [5, 24], but it was fitted on [N, 4, 3, 2]. reshape it: reshape(x, [-1, 4, 3, 2])`,
    })
    t.throws(() => fitted.transform(zeros([4, 3, 2])), {
      message: `preprocessing.${kind}: x has shape [4, 3, 2], but it was fitted on [N, 4, 3, 2]`,
    })
  }
  const channels = await standardize({ per: 'channel' }).fit(images())
  t.deepEqual(channels.transform(zeros([2, 9, 9, 2])).shape, [2, 9, 9, 2])
  t.throws(() => channels.transform(zeros([2, 4, 3, 3])), {
    instanceOf: ShapeError,
    message: 'preprocessing.standardize: x has shape [2, 4, 3, 3], but it was fitted on 2 channels: [N, …, 2]',
  })
  const axes = await pca({ components: 3 }).fit(images())
  t.throws(() => axes.inverse(zeros([2, 4])), {
    instanceOf: ShapeError,
    message: 'preprocessing.pca: inverse takes what transform gives, [N, 3]. got shape [2, 4]',
  })
  const x = images()
  x.dispose()
  t.throws(() => axes.transform(x), {
    message:
      'preprocessing.pca: x is disposed (it had shape [10, 4, 3, 2]). return it from scope() to keep it, or dispose it later',
  })
})

test('a second fit at the same time is refused, one afterwards is not', async (t) => {
  const step = pca()
  const first = step.fit(images())
  await t.throwsAsync(() => step.fit(images()), {
    message: 'preprocessing.pca: it is being fitted already. await the first fit',
  })
  t.is(await first, step)
  await step.fit(normal([5, 3], 3))
  t.deepEqual(step.mean.shape, [3])
  await t.throwsAsync(() => step.fit(zeros([1, 3])))
  t.deepEqual(step.mean.shape, [3])
})
