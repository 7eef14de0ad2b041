// Trainings that were cut off go on to the same bits.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { batches, callbacks, loadModel, type Optimizer, optimizers, schedules, setSeed } from 'ferrograd'
import { temporaryFolder } from '../helpers/folder.js'
import { bits, cutOff, digits, network, options, x, y } from '../helpers/resume.js'

const every: Record<string, () => Optimizer> = {
  sgd: () => optimizers.sgd({ learningRate: schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 18 }) }),
  momentum: () => optimizers.sgd({ momentum: 0.9, nesterov: true, clipNorm: 1 }),
  adagrad: () => optimizers.adagrad(),
  adadelta: () => optimizers.adadelta({ learningRate: 1 }),
  rmsprop: () => optimizers.rmsprop({ momentum: 0.5, centered: true }),
  adam: () => optimizers.adam({ globalClipNorm: 0.5 }),
  adamW: () => optimizers.adamW({ weightDecay: 0.1 }),
  adamax: () => optimizers.adamax(),
  nadam: () => optimizers.nadam({ clipValue: 0.01 }),
  lion: () => optimizers.lion(),
}

for (const [i, [kind, make]] of Object.entries(every).entries()) {
  test.serial(`a training that was cut off ends with the same bits: ${kind}`, async (t) => {
    const path = join(temporaryFolder(t), 'a.safetensors')
    const whole = network(make())
    const { history } = await whole.fit(x, y, options)
    const cut = network(make())
    const at = 2 + i
    await cutOff(cut, at)
    // Behind its last batch an epoch is not over: validation and callbacks would follow.
    t.deepEqual(cut.position, at === 6 ? { epoch: 0, batch: 6 } : { epoch: Math.floor(at / 6), batch: at % 6 })
    await cut.save(path)
    setSeed(77)
    const loaded = await loadModel(path)
    t.deepEqual(loaded.position, cut.position)
    t.is(loaded.optimizer.iterations, at)
    t.deepEqual(loaded.optimizer.config(), cut.optimizer.config())
    const rest = await loaded.fit(x, y, { ...options, initialEpoch: loaded.position.epoch })
    t.is(await bits(loaded), await bits(whole))
    t.deepEqual(rest.epoch, [0, 1, 2].slice(Math.floor(at / 6)))
    // Epochs behind the broken one are told whole.
    t.is(rest.history.loss.at(-1), history.loss.at(-1))
    t.is(rest.history.topKAccuracy!.at(-1), history.topKAccuracy!.at(-1))
    for (const net of [whole, cut, loaded]) net.dispose()
  })
}

test.serial('cut off once more, and between two epochs', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const whole = network(optimizers.adam())
  await whole.fit(x, y, options)
  const net = network(optimizers.adam())
  await net.fit(x, y, { ...options, epochs: 1 })
  t.deepEqual(net.position, { epoch: 1, batch: 0 })
  await net.save(path)
  const second = await loadModel(path)
  // Saving what was loaded, before it goes on, changes nothing.
  await second.save(path)
  const third = await loadModel(path)
  await cutOff(third, 3, { initialEpoch: 1 })
  t.deepEqual(third.position, { epoch: 1, batch: 3 })
  await third.save(path)
  const fourth = await loadModel(path)
  await fourth.fit(x, y, { ...options, initialEpoch: 1 })
  t.is(await bits(fourth), await bits(whole))
})

test.serial('a training goes on in the same process too', async (t) => {
  const whole = network(optimizers.adam())
  await whole.fit(x, y, options)
  const cut = network(optimizers.adam())
  await cutOff(cut, 8)
  await cut.fit(x, y, { ...options, initialEpoch: 1 })
  t.is(await bits(cut), await bits(whole))
  // Without initialEpoch it begins anew.
  const { epoch } = await cut.fit(x, y, { ...options, epochs: 1 })
  t.deepEqual([epoch, cut.position], [[0], { epoch: 1, batch: 0 }])
})

test.serial('batches of the library and of the user', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const library = () => batches(digits, { size: 256, shuffle: true, seed: 5 })
  const own = () => ({
    async *[Symbol.asyncIterator]() {
      for await (const batch of batches(digits, { size: 256 })) yield batch
    },
  })
  for (const source of [library, own]) {
    for (const stepsPerEpoch of source === library ? [undefined, 4] : [undefined]) {
      const fitting = { epochs: 2, verbose: 0, ...(stepsPerEpoch && { stepsPerEpoch }) } as const
      const whole = network(optimizers.adam())
      await whole.fit(source(), fitting)
      const cut = network(optimizers.adam())
      const saver = callbacks.checkpoint({ path, every: { batches: (stepsPerEpoch ?? 6) + 3 } })
      await cut.fit(source(), { ...fitting, callbacks: saver })
      const loaded = await loadModel(path)
      t.deepEqual(loaded.position, { epoch: 1, batch: 3 })
      await loaded.fit(source(), { ...fitting, initialEpoch: 1 })
      t.is(await bits(loaded), await bits(whole))
    }
  }
})

test.serial('callbacks go on: patience, plateaus and the best weights', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const fitting = () => {
    const stopper = callbacks.earlyStopping({ monitor: 'loss', mode: 'max', patience: 3, restoreBestWeights: true })
    const plateau = callbacks.reduceOnPlateau({ monitor: 'loss', mode: 'max', patience: 2, factor: 0.5 })
    return { stopper, given: { ...options, epochs: 9, callbacks: [stopper, plateau] } }
  }
  const whole = network(optimizers.adam())
  const first = fitting()
  await whole.fit(x, y, first.given)
  t.deepEqual([first.stopper.bestEpoch, first.stopper.stoppedEpoch], [0, 3])
  const cut = network(optimizers.adam())
  const { given } = fitting()
  const saver = callbacks.checkpoint({ path, every: { batches: 14 } })
  // First in the list, and yet it sees what the others do after an epoch.
  await cut.fit(x, y, { ...given, epochs: 3, callbacks: [saver, ...given.callbacks] })
  const loaded = await loadModel(path)
  t.deepEqual(loaded.position, { epoch: 2, batch: 2 })
  const second = fitting()
  await loaded.fit(x, y, { ...second.given, initialEpoch: 2 })
  t.deepEqual([second.stopper.bestEpoch, second.stopper.stoppedEpoch], [0, 3])
  t.is(loaded.optimizer.learningRate, whole.optimizer.learningRate)
  t.is(loaded.optimizer.learningRate, 0.0005)
  t.is(await bits(loaded), await bits(whole))
})

test.serial('a call while training runs saves a state between two batches', async (t) => {
  const folder = temporaryFolder(t)
  const net = network(optimizers.adam())
  const saves: Promise<void>[] = []
  const timer = setInterval(() => saves.push(net.save(join(folder, `${saves.length}`))), 3)
  await net.fit(x, y, options)
  clearInterval(timer)
  await Promise.all(saves)
  t.true(saves.length > 0)
  const expected = await bits(net)
  const positions = new Set<string>()
  for (const name of readdirSync(folder)) {
    const loaded = await loadModel(join(folder, name))
    const { epoch, batch } = loaded.position
    const key = `${epoch}.${batch}`
    if (positions.has(key)) continue
    positions.add(key)
    // Before the first step there is no order of the data yet.
    if (loaded.optimizer.iterations === 0 || epoch === 3) continue
    await loaded.fit(x, y, { ...options, initialEpoch: epoch })
    t.is(await bits(loaded), expected, key)
  }
})
