// Training on batches of the user's own.
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { type Batch, batches, memory, tensor } from 'ferrograd'
import { evaluate } from '../../dist/training/evaluate.js'
import { fit } from '../../dist/training/fit.js'
import { close, counting, linear } from '../helpers/linear.js'

const { x, y } = counting(6)
const quiet = { verbose: 0 } as const
const parts: Batch[] = [
  { xs: x.slice(0, 4), ys: y.slice(0, 4) },
  { xs: x.slice(4), ys: y.slice(4) },
]

test('an array of batches is gone through in every epoch', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const history = await fit(model, compiled, parts, { ...quiet, epochs: 2 })
  t.deepEqual(await model.batches(), [
    [0, 1, 2, 3],
    [4, 5],
    [0, 1, 2, 3],
    [4, 5],
  ])
  for (const loss of history.history.loss) t.true(close(loss, (1 + 4 + 9 + 16 + 25) / 6))
})

test('batches() can be trained on', async (t) => {
  const source = { xs: tensor(x), ys: tensor(y) }
  const { model, compiled } = linear({ learningRate: 0 })
  await fit(model, compiled, batches(source, { size: 4, shuffle: true, seed: 3 }), { ...quiet, epochs: 2 })
  const seen = await model.batches()
  t.deepEqual(
    seen.map((batch) => batch.length),
    [4, 2, 4, 2],
  )
  t.notDeepEqual(seen.slice(0, 2), seen.slice(2))
  t.deepEqual([...seen[2]!, ...seen[3]!].sort(), y)
})

test('generators, waiting or not, and iterators that take their time', async (t) => {
  async function* slowly() {
    for (const part of parts) {
      await wait(5)
      yield part
    }
  }
  function* atOnce() {
    yield* parts
  }
  for (const list of [slowly(), atOnce(), { [Symbol.asyncIterator]: slowly }, new Set(parts)]) {
    const { model, compiled } = linear({ learningRate: 0 })
    await fit(model, compiled, list, quiet)
    t.deepEqual(await model.batches(), [
      [0, 1, 2, 3],
      [4, 5],
    ])
  }
})

test('batches may be typed arrays, nested arrays or tensors, and weigh their samples', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const list: Batch[] = [
    { xs: Float32Array.of(1, 1, 2, 1), ys: Int32Array.of(3, 4), sampleWeight: [1, 2] },
    { xs: tensor([[3, 1]]), ys: tensor([[5]]), sampleWeight: tensor([4]) },
    { xs: [[4, 1]], ys: [[6]] },
  ]
  const { history } = await fit(model, compiled, list, quiet)
  t.true(close(history.loss[0]!, (9 + 2 * 16 + 4 * 25 + 36) / 4))
  t.deepEqual(await model.batches(), [[1, 2], [3], [4]])
})

test.serial('tensors of batches stay the user’s, and all others are freed', async (t) => {
  const { model, compiled } = linear()
  Object.defineProperty(model, 'seen', { value: { push() {} } })
  const mine = { xs: tensor(x), ys: tensor(y) }
  const before = memory().tensors
  await fit(model, compiled, [mine, { xs: x, ys: y }], { ...quiet, epochs: 3 })
  t.is(memory().tensors, before)
  t.false(mine.xs.disposed || mine.ys.disposed)
})

test('a generator may free its batch when the next is asked for', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  async function* own() {
    for (const { xs, ys } of parts) {
      const batch = { xs: tensor(xs as number[][]), ys: tensor(ys as number[]) }
      yield batch
      batch.xs.dispose()
      batch.ys.dispose()
    }
  }
  const { history } = await fit(model, compiled, own(), quiet)
  t.true(close(history.loss[0]!, 55 / 6))
})

test('stepsPerEpoch takes as many from a stream without end', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  let next = 0
  let closed = false
  async function* endless() {
    try {
      for (;;) yield { xs: [[next, 1]], ys: [next++] }
    } finally {
      closed = true
    }
  }
  const history = await fit(model, compiled, endless(), { ...quiet, stepsPerEpoch: 3, epochs: 2 })
  t.deepEqual(await model.batches(), [[0], [1], [2], [3], [4], [5]])
  t.true(close(history.history.loss[1]!, (9 + 16 + 25) / 3))
  t.true(closed)
})

test('batches that run out are an error that says what to do', async (t) => {
  const once = () =>
    (function* () {
      yield* parts
    })()
  const way =
    'do not begin again. a generator can be gone through once: pass an object whose [Symbol.asyncIterator]() begins anew, such as batches(…), or fewer epochs'
  const cases: [Iterable<Batch>, object, string][] = [
    [once(), { epochs: 2 }, `fit: the batches ran out in the 2nd epoch and ${way}`],
    [once(), { stepsPerEpoch: 3 }, `fit: the batches ran out in the 1st epoch, after 2 of 3 batches, and ${way}`],
    [
      once(),
      { stepsPerEpoch: 1, epochs: 3 },
      `fit: the batches ran out in the 3rd epoch, after 0 of 1 batches, and ${way}`,
    ],
    [new Set(), {}, 'fit: there are no batches'],
    [new Set(), { stepsPerEpoch: 1 }, 'fit: there are no batches'],
  ]
  for (const [list, options, message] of cases) {
    const { model, compiled } = linear()
    await t.throwsAsync(fit(model, compiled, list, { ...quiet, ...options }), { instanceOf: TypeError, message })
  }
  const { model, compiled } = linear()
  await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, validationData: new Set<Batch>() }), {
    message: 'fit: validationData: there are no batches',
  })
})

test('an error of the iterable ends the training, and the model can go on', async (t) => {
  const { model, compiled } = linear()
  async function* broken() {
    yield parts[0]!
    throw new Error('the disk is on fire')
  }
  let ended = false
  const callbacks = { onTrainEnd: () => (ended = true) }
  await t.throwsAsync(fit(model, compiled, broken(), { ...quiet, callbacks }), { message: 'the disk is on fire' })
  t.true(ended)
  t.deepEqual((await fit(model, compiled, parts, quiet)).epoch, [0])
})

test('a batch of another shape ends the training, and closes the iterable', async (t) => {
  const { model, compiled } = linear()
  let closed = false
  function* changing() {
    try {
      yield parts[0]!
      yield { xs: [[1, 2, 3]], ys: [1] }
    } finally {
      closed = true
    }
  }
  await t.throwsAsync(fit(model, compiled, changing(), quiet), {
    code: 'ERR_SHAPE',
    message: 'fit: x has shape [1, 3], but model "linear" takes [batch, 2]',
  })
  t.true(closed)
})

test('the iterable is closed when training stops in the middle', async (t) => {
  const { model, compiled } = linear()
  let closed = 0
  const list = {
    *[Symbol.iterator]() {
      try {
        yield* parts
      } finally {
        closed++
      }
    },
  }
  const callbacks = {
    onBatchEnd() {
      model.stopTraining = true
    },
  }
  t.deepEqual((await fit(model, compiled, list, { ...quiet, epochs: 3, callbacks })).epoch, [0])
  t.is(closed, 1)
})

test('what is no batch, and options without effect, are refused', async (t) => {
  const { model, compiled } = linear()
  const cases: [Parameters<typeof fit>[2], object, string][] = [
    [[{ xs: x }] as never, {}, 'fit: each batch must be { xs, ys }. got an object (batch 0)'],
    [new Set([1]) as never, {}, 'fit: each batch must be { xs, ys }. got 1 (batch 0)'],
    [[{ xs: [], ys: [] }], {}, 'fit: x has shape [0], but model "linear" takes [batch, 2]'],
    [[{ xs: new Float32Array(0), ys: [] }], {}, 'fit: batch 0 has no samples'],
    [[{ xs: x, ys: [1] }], {}, 'fit: there are 6 samples, but 1 labels. each sample needs one. labels [1]'],
    [
      [{ xs: x, ys: y, sampleWeight: [1] }],
      {},
      'fit: sampleWeight must have one number for each sample, [6]. got shape [1]',
    ],
    [parts, { batchSize: 2 }, 'fit: batchSize has no effect on batches, which are taken as they come'],
    [parts, { shuffle: true }, 'fit: shuffle has no effect on batches, which are taken as they come'],
    [parts, { seed: 1 }, 'fit: seed has no effect on batches, which are taken as they come'],
    [parts, { validationSplit: 0.1 }, 'fit: validationSplit has no effect on batches, which are taken as they come'],
    [
      parts,
      { sampleWeight: y },
      'fit: sampleWeight has no effect on batches, which are taken as they come. put it into the batches: { xs, ys, sampleWeight }',
    ],
  ]
  for (const [list, options, message] of cases) {
    await t.throwsAsync(fit(model, compiled, list, { ...quiet, ...options }), { message })
  }
  await t.throwsAsync(fit(model, compiled, parts, y, {}), {
    message: 'fit: labels are in the batches: fit(batches, options) has no second argument y',
  })
  // Here it is for the validation.
  await fit(model, compiled, parts, { ...quiet, batchSize: 2, validationData: [x, y] })
  t.pass()
})

test('evaluate takes batches, too, and weighs them by size', async (t) => {
  const { model, compiled } = linear()
  const { loss } = await evaluate(model, compiled, parts)
  t.true(close(loss, 55 / 6))
  await t.throwsAsync(evaluate(model, compiled, parts, { batchSize: 3 }), {
    message: 'evaluate: there is no option batchSize (got 3). valid are ',
  })
})
