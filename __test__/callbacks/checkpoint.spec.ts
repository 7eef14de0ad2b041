// Files that are saved while a model trains.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { callbacks, datasets, layers, loadModel, type Model, sequential, setSeed } from 'ferrograd'
import { fit } from '../../dist/training/fit.js'
import { temporaryFolder } from '../helpers/folder.js'
import { counting, linear } from '../helpers/linear.js'

type Callback = callbacks.Callback

const { images, labels } = datasets.spiral({ points: 50, classes: 2, seed: 1 }).train

function network(): Model {
  setSeed(1)
  const net = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })] })
  net.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return net
}

/** 100 samples in 4 batches. */
const options = { batchSize: 25, verbose: 0, epochs: 5 } as const
const train = (own: Callback | Callback[], more = {}) =>
  network().fit(images, labels, { ...options, ...more, callbacks: own })

test('one file, replaced after every epoch', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.safetensors')
  const saver = callbacks.checkpoint({ path })
  const positions: unknown[] = []
  const look: Callback = {
    async onEpochBegin(epoch) {
      if (epoch > 1) positions.push((await loadModel(path)).position)
    },
  }
  await train([saver, look])
  t.is(saver.lastPath, path)
  t.deepEqual((await loadModel(path)).position, { epoch: 5, batch: 0 })
  t.deepEqual(readdirSync(folder), ['a.safetensors'])
  // Written meanwhile: at most one epoch behind.
  t.is(positions.length, 3)
})

test('a file for each place, every so often', async (t) => {
  const folder = temporaryFolder(t)
  const names = async (every: number | { batches: number }, path = 'm-{epoch}-{batch}.st', more = {}) => {
    const own = join(folder, JSON.stringify(every) + path.length)
    mkdirSync(own)
    await train(callbacks.checkpoint({ path: join(own, path), every, ...more }))
    return readdirSync(own).sort()
  }
  t.deepEqual(await names(2), ['m-2-0.st', 'm-4-0.st'])
  t.deepEqual(await names({ batches: 6 }), ['m-1-2.st', 'm-3-0.st', 'm-4-2.st'])
  t.deepEqual(await names({ batches: 4 }), ['m-1-0.st', 'm-2-0.st', 'm-3-0.st', 'm-4-0.st', 'm-5-0.st'])
  t.deepEqual(await names({ batches: 3 }, 'e{epoch}'), ['e0', 'e1', 'e2', 'e3', 'e4'])
  t.deepEqual(await names({ batches: 5 }, '({batch}+{epoch})$', { keepLast: 2 }), ['(0+5)$', '(3+3)$'])
})

test('of files that are too many the oldest go, and no others', async (t) => {
  const folder = temporaryFolder(t)
  const others = ['m-9.st', 'm-02.st', 'm-x.st', 'm-1.st.old', 'xm-1.st', 'm-1xst']
  for (const name of [...others, 'm-0.st']) writeFileSync(join(folder, name), 'x')
  await train(callbacks.checkpoint({ path: join(folder, 'm-{epoch}.st'), keepLast: 3 }))
  t.deepEqual(readdirSync(folder).sort(), [...others, 'm-3.st', 'm-4.st', 'm-5.st'].sort())
})

test('only the best', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, '{epoch}')
  const saver = callbacks.checkpoint({ path, saveBestOnly: true, monitor: 'loss' })
  await train(saver)
  t.deepEqual(readdirSync(folder).sort(), ['1', '2', '3', '4', '5'])
  const worst = callbacks.checkpoint({
    path: join(folder, 'w{epoch}'),
    saveBestOnly: true,
    monitor: 'loss',
    mode: 'max',
  })
  const { history } = await train(worst)
  t.deepEqual(readdirSync(folder).sort(), ['1', '2', '3', '4', '5', 'w1'])
  t.is(worst.best, history.loss[0])
  // What is best is remembered.
  const loaded = await loadModel(join(folder, 'w1'))
  const again = callbacks.checkpoint({
    path: join(folder, 'w{epoch}'),
    saveBestOnly: true,
    monitor: 'loss',
    mode: 'max',
  })
  await loaded.fit(images, labels, { ...options, initialEpoch: 1, callbacks: again })
  t.deepEqual([again.best, again.lastPath], [history.loss[0], undefined])
  const missing = callbacks.checkpoint({ path, saveBestOnly: true })
  await t.throwsAsync(train(missing), {
    message: /^checkpoint: there is no "val_loss" to watch among loss and accuracy\./,
  })
})

test('without the optimizer', async (t) => {
  const path = join(temporaryFolder(t), 'a')
  await train(callbacks.checkpoint({ path }))
  const { size } = statSync(path)
  await train(callbacks.checkpoint({ path, includeOptimizer: false }))
  t.true(statSync(path).size < size)
  await t.throwsAsync((await loadModel(path)).evaluate(images, labels), { message: /is not compiled/ })
})

test('training is not held up, and a failed save ends it', async (t) => {
  const folder = temporaryFolder(t)
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(20)
  let release = () => {}
  let saves = 0
  const slow = Object.assign(model, {
    save: () => {
      saves++
      return new Promise<void>((resolve) => {
        release = resolve
      })
    },
  })
  const saver = callbacks.checkpoint({ path: join(folder, 'a') })
  const seen: number[] = []
  const watch: Callback = {
    onEpochBegin(epoch) {
      seen.push(epoch)
      if (epoch === 1) setTimeout(() => release(), 20)
      // The second save waits for the first.
      if (epoch === 2) setTimeout(() => release(), 20)
    },
    onEpochEnd(epoch) {
      if (epoch === 2) setTimeout(() => release(), 60)
    },
  }
  await fit(slow, compiled, x, y, { verbose: 0, batchSize: 5, epochs: 3, callbacks: [saver, watch] })
  t.deepEqual([seen, saves], [[0, 1, 2], 3])

  const error = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  const full = Object.assign(linear({ learningRate: 0 }).model, { save: () => Promise.reject(error) })
  for (const epochs of [1, 5]) {
    seen.length = 0
    const own = [callbacks.checkpoint({ path: join(folder, 'a') }), watch]
    t.is(await t.throwsAsync(fit(full, compiled, x, y, { verbose: 0, epochs, callbacks: own })), error)
    t.true(seen.length <= 2)
  }
})

test('what is wrong is said before the training', async (t) => {
  const folder = temporaryFolder(t)
  await t.throwsAsync(train(callbacks.checkpoint({ path: join(folder, 'none', 'a') })), {
    code: 'ENOENT',
    message: `checkpoint: nothing can be saved in "${join(folder, 'none')}". there is no such file or folder (ENOENT)`,
  })
  const { model, compiled } = linear()
  const { x, y } = counting(20)
  await t.throwsAsync(fit(model, compiled, x, y, { verbose: 0, callbacks: callbacks.checkpoint({ path: 'a' }) }), {
    instanceOf: TypeError,
    message: `checkpoint: model "${model.name}" has no method save`,
  })
  const cases: [object, string][] = [
    [{}, 'checkpoint: path must be the name of a file, or a file: URL. got undefined'],
    [
      { path: 'a', often: 1 },
      'checkpoint: there is no option often (got 1). valid are path, every, keepLast, saveBestOnly, monitor, minDelta, mode and includeOptimizer',
    ],
    [{ path: 'a', every: 0 }, 'checkpoint: every must be a whole number from 1. got 0'],
    [{ path: 'a', every: { batches: 0.5 } }, 'checkpoint: every.batches must be a whole number from 1. got 0.5'],
    [{ path: 'a', every: { epochs: 1 } }, 'checkpoint: every: there is no option epochs (got 1). valid are batches'],
    [
      { path: 'a', keepLast: 2 },
      'checkpoint: keepLast needs a file for each save: put {epoch} or {batch} into path. got "a"',
    ],
    [{ path: 'a{epoch}', keepLast: 0 }, 'checkpoint: keepLast must be a whole number from 1. got 0'],
    [{ path: 'a', saveBestOnly: 1 }, 'checkpoint: saveBestOnly must be true or false. got 1'],
    [{ path: 'a', monitor: 'loss' }, 'checkpoint: monitor has no effect without saveBestOnly: true'],
    [{ path: 'a', mode: 'up', saveBestOnly: true }, "checkpoint: mode must be 'auto', 'min' or 'max'. got \"up\""],
    [
      { path: 'a', saveBestOnly: true, every: { batches: 2 } },
      'checkpoint: saveBestOnly looks at the figures of epochs. give every as a number of them',
    ],
    [{ path: 'a', includeOptimizer: 'no' }, 'checkpoint: includeOptimizer must be true or false. got "no"'],
    [{ path: 'a-{loss}' }, 'checkpoint: path can hold {epoch} and {batch}. got "{loss}"'],
    [{ path: 'a-{epoch}{batch}' }, 'checkpoint: two numbers need something between them. got "a-{epoch}{batch}"'],
    [{ path: '/{epoch}/a' }, 'checkpoint: {epoch} belongs into the name of the file. got "/{epoch}/a"'],
  ]
  for (const [given, message] of cases) t.throws(() => callbacks.checkpoint(given as never), { message })
})
