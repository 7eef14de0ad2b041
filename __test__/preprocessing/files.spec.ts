// What a file keeps of preprocessing, and what it may not claim.
import test from 'ava'
import { FormatError, memory, type Preprocessing, preprocessing, type Tensor, tensor, zeros } from 'ferrograd'
import { preprocessingFrom } from '../../dist/preprocessing/preprocessing-from.js'
import { normal, values } from '../helpers/values.js'

const { pca, pipeline, standardize, whiten, zca, zeroCenter } = preprocessing

const kinds: (() => Preprocessing)[] = [
  zeroCenter,
  () => zeroCenter({ per: 'channel' }),
  standardize,
  () => standardize({ per: 'channel' }),
  pca,
  () => pca({ components: 0.9 }),
  () => whiten({ epsilon: 0.1, components: 4 }),
  () => zca({ epsilon: 0.2 }),
  () => pipeline([standardize({ per: 'channel' }), pipeline([zca({ epsilon: 0.5 }), pca({ components: 3 })])]),
]

test('kind, config and statistics make another one that does the same', async (t) => {
  const x = normal([30, 4, 3, 2], 2)
  for (const make of kinds) {
    const fitted = await make().fit(x)
    const config = JSON.parse(JSON.stringify(fitted.config()))
    const copy = await preprocessingFrom(fitted.kind, config, fitted.statistics())
    t.is(copy.kind, fitted.kind)
    t.deepEqual(copy.config(), fitted.config())
    const y = fitted.transform(x)
    fitted.dispose()
    t.deepEqual(await values(copy.transform(x)), await values(y))
    t.deepEqual(copy.inverse(y).shape, x.shape)
  }
})

const cannot = (what: string) => `the preprocessing in the file cannot be: ${what}`
const foreign = (kind: string, what: string) =>
  `the statistics in the file do not belong to preprocessing.${kind}: ${what}`

// Alone, because it counts tensors.
test.serial('what a file may not say', async (t) => {
  const mean = zeros([3])
  const axes = { mean, components: zeros([2, 3]), explainedVariance: tensor([2, 1]) }
  const wrong: [unknown, unknown, unknown, string][] = [
    [
      'rotate',
      {},
      {},
      cannot("its kind is \"rotate\". kinds are 'zeroCenter', 'standardize', 'pca', 'whiten', 'zca' or 'pipeline'"),
    ],
    [
      'constructor',
      {},
      {},
      cannot(
        "its kind is \"constructor\". kinds are 'zeroCenter', 'standardize', 'pca', 'whiten', 'zca' or 'pipeline'",
      ),
    ],
    ['pca', 3, {}, cannot('the options are 3')],
    ['pca', {}, [], cannot('the statistics are []')],
    [
      'pca',
      { components: 0 },
      {},
      cannot(
        'preprocessing.pca: components must be a whole number from 1, or a share of the variance between 0 and 1. got 0',
      ),
    ],
    ['zeroCenter', {}, { mean: 3 }, cannot('the statistic mean is 3')],
    ['pipeline', {}, {}, cannot('the steps of a pipeline are undefined')],
    ['pipeline', { steps: [] }, {}, cannot('preprocessing.pipeline: expects an array with at least one step. got []')],
    ['pipeline', { steps: [7] }, {}, cannot('a step of a pipeline are 7')],
    ['zeroCenter', {}, {}, foreign('zeroCenter', 'found [] instead of ["mean"]')],
    ['zeroCenter', {}, { mean, other: mean }, foreign('zeroCenter', 'found ["mean", "other"] instead of ["mean"]')],
    ['zeroCenter', {}, { mean: zeros([3], { dtype: 'int32' }) }, foreign('zeroCenter', 'mean has dtype int32')],
    [
      'zeroCenter',
      { per: 'channel' },
      { mean: zeros([2, 3]) },
      foreign('zeroCenter', 'mean has shape [2, 3] instead of [3]'),
    ],
    ['zeroCenter', {}, { mean: tensor([1, Number.NaN]) }, foreign('zeroCenter', 'mean holds NaN')],
    ['standardize', {}, { mean, stdDev: zeros([3]) }, foreign('standardize', 'stdDev holds 0')],
    ['standardize', {}, { mean, stdDev: zeros([4]) }, foreign('standardize', 'stdDev has shape [4] instead of [3]')],
    [
      'whiten',
      {},
      { ...axes, components: zeros([2, 4]) },
      foreign('whiten', 'components has shape [2, 4] instead of [2, 3]'),
    ],
    [
      'whiten',
      {},
      { ...axes, components: zeros([4, 3]) },
      foreign('whiten', 'components has shape [4, 3] instead of [3, 3]'),
    ],
    ['zca', {}, { ...axes, explainedVariance: tensor([2, -1]) }, foreign('zca', 'explainedVariance holds -1')],
    [
      'pipeline',
      {
        steps: [
          { kind: 'pca', config: {} },
          { kind: 'zeroCenter', config: {} },
        ],
      },
      {
        '0.mean': mean,
        '0.components': zeros([2, 3]),
        '0.explainedVariance': tensor([2, 1]),
        '0.explainedVarianceRatio': tensor([0.5, 0.4]),
        '0.singularValues': tensor([2, 1]),
        '1.mean': mean,
      },
      'the steps in the file do not follow each other. preprocessing.zeroCenter: x has shape [1, 2], but it was fitted on [N, 3]',
    ],
  ]
  const before = memory().tensors
  for (const [kind, config, statistics, message] of wrong) {
    await t.throwsAsync(() => preprocessingFrom(kind, config, statistics as Record<string, Tensor>), {
      instanceOf: FormatError,
      message,
    })
  }
  t.is(memory().tensors, before)
  let deep: unknown = { kind: 'zca', config: {} }
  for (let i = 0; i < 40; i++) deep = { kind: 'pipeline', config: { steps: [deep] } }
  await t.throwsAsync(() => preprocessingFrom('pipeline', { steps: [deep] }, {}), {
    instanceOf: FormatError,
    message: cannot('pipelines more than 32 deep inside each other'),
  })
})
