// Random search: what trials depend on, how they end, and what is said of them.
import test from 'ava'
import {
  initializers,
  type LabelledImages,
  layers,
  type Model,
  memory,
  metrics,
  optimizers,
  randomNormal,
  search,
  sequential,
  setSeed,
  tensor,
} from 'ferrograd'
import { base, build, data, type NetParams, space } from '../helpers/search.js'

const { random } = search

test.serial('the same seed gives the same trials, bit for bit; another seed others', async (t) => {
  const [a, b, c] = [await random(base), await random(base), await random({ ...base, seed: 8 })]
  t.deepEqual(a, b)
  t.is(a.trials.length, 4)
  t.notDeepEqual(a.trials[0]!.params, c.trials[0]!.params)
  for (const [i, trial] of a.trials.entries()) {
    t.is(trial.index, i)
    t.is(trial.status, 'done')
    t.deepEqual(trial.history.epoch, [0, 1])
    t.is(trial.value, Math.max(...trial.history.history.val_accuracy!))
  }
  t.is(new Set(a.trials.map(({ seed }) => seed)).size, 4)
})

test.serial('a trial can be done again by hand', async (t) => {
  const { best } = await random(base)
  setSeed(best!.seed)
  using model = build(best!.params)
  const history = await model.fit(data.train.images, data.train.labels, {
    epochs: 2,
    validationData: [data.validation.images, data.validation.labels],
    verbose: 0,
  })
  t.deepEqual(history, best!.history)
})

test.serial('a trial does not depend on how many there are, or on how the space was written down', async (t) => {
  const four = await random(base)
  const two = await random({ ...base, trials: 2 })
  t.deepEqual(two.trials, four.trials.slice(0, 2))
  const { learningRate, units } = space
  const turned = await random({ ...base, trials: 2, space: { units, learningRate } })
  t.deepEqual(turned.trials, two.trials)
})

test.serial("the caller's seeds go on as if there had been no search, and do not disturb it", async (t) => {
  const drawn = async (between: () => Promise<unknown>) => {
    setSeed(3)
    const first = await randomNormal([2]).array()
    await between()
    return [first, await randomNormal([2]).array()]
  }
  const alone = await drawn(async () => {})
  t.deepEqual(await drawn(() => random(base)), alone)
  const seeding = (params: NetParams) => {
    setSeed(99)
    return build(params)
  }
  t.deepEqual(await drawn(() => random({ ...base, build: seeding })), alone)
  const quiet = await random(base)
  let running = true
  const noise = (async () => {
    while (running) {
      randomNormal([1]).dispose()
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const [noisy, other] = await Promise.all([random(base), random({ ...base, seed: 9 })])
  running = false
  await noise
  t.deepEqual(noisy, quiet)
  t.deepEqual(other, await random({ ...base, seed: 9 }))
})

test.serial('without a seed, setSeed decides', async (t) => {
  const { seed: _, ...unseeded } = base
  setSeed(4)
  const first = await random({ ...unseeded, trials: 1 })
  const second = await random({ ...unseeded, trials: 1 })
  setSeed(4)
  t.deepEqual(await random({ ...unseeded, trials: 1 }), first)
  t.notDeepEqual(second.trials[0]!.params, first.trials[0]!.params)
})

test.serial('everything that trials take is given back', async (t) => {
  const before = memory()
  const result = await random({
    ...base,
    space: { ...space, learningRate: search.choice([0.01, 1e30]), bad: search.choice([false, true]) },
    trials: 10,
    build: ({ bad, ...params }) => {
      if (bad) throw new Error('bad luck')
      return build(params)
    },
  })
  const statuses = new Set(result.trials.map(({ status }) => status))
  t.deepEqual([...statuses].sort(), ['diverged', 'done', 'failed'])
  const { tensors, bytes } = memory()
  t.deepEqual({ tensors, bytes }, { tensors: before.tensors, bytes: before.bytes })
})

const rates = (...values: number[]) => ({ units: search.choice([8]), learningRate: search.choice(values) })

test.serial('a loss that is no number cuts a trial short', async (t) => {
  const { trials, best, warnings } = await random({ ...base, trials: 1, space: rates(1e30) })
  t.is(best, undefined)
  const { status, reason, value, history } = trials[0]!
  t.is(status, 'diverged')
  t.regex(reason!, /^the loss is (NaN|Infinity) at batch \d of epoch 0$/)
  t.is(value, Number.NaN)
  t.deepEqual(history, { epoch: [], history: { loss: [] } })
  t.deepEqual(warnings, [`search.random: no trial was done. trial 1 diverged: ${reason}. try lower learning rates`])
})

test.serial('so does one that explodes', async (t) => {
  const svm = ({ learningRate }: NetParams) => {
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
    model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'svm', metrics: ['accuracy'] })
    return model
  }
  const exploding = { ...base, build: svm, epochs: 6, trials: 1, space: rates(1e4) }
  const [cut] = (await random(exploding)).trials
  t.is(cut!.status, 'diverged')
  t.regex(
    cut!.reason!,
    /^the loss explodes: its mean over 10 batches is \S+ at batch \d of epoch 2, more than 3 times the first loss, \d\.\d\d$/,
  )
  t.deepEqual(cut!.history.epoch, [0, 1], 'only complete epochs count')
  const [done] = (await random({ ...exploding, explosion: 1e9 })).trials
  t.is(done!.status, 'done')
})

test.serial('an error in build fails the trial, not the search', async (t) => {
  const { trials, best } = await random({
    ...base,
    trials: 6,
    build: (params) => {
      if (params.units === 16) throw new RangeError('sixteen is too much')
      return build(params)
    },
  })
  for (const { params, status, reason, error, value } of trials) {
    t.is(status, params.units === 16 ? 'failed' : 'done')
    t.is(reason, params.units === 16 ? 'sixteen is too much' : undefined)
    t.is(error instanceof RangeError, params.units === 16)
    t.is(Number.isNaN(value), params.units === 16)
  }
  t.is(best!.params.units, 8)
})

test.serial('when every trial fails, the search rejects with the first error', async (t) => {
  let calls = 0
  const error = await t.throwsAsync(
    random({
      ...base,
      build: () => {
        throw new SyntaxError(`mistake ${++calls}`)
      },
    }),
  )
  t.is(error!.name, 'SyntaxError')
  t.is(error!.message, 'mistake 1')
  t.is(calls, 4)
})

async function message(options: object): Promise<string> {
  try {
    await random({ ...base, trials: 1, ...options } as never)
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'nothing was thrown'
}

test.serial('what build must return', async (t) => {
  const before = memory().tensors
  const uncompiled = () => sequential({ name: 'net', inputShape: [2], layers: [layers.dense({ units: 3 })] })
  t.is(
    await message({ build: () => undefined }),
    'TypeError: search.random: build must return a compiled model. got undefined',
  )
  t.is(
    await message({ build: uncompiled }),
    'TypeError: search.random: build must return a compiled model. model "net" is not compiled: call model.compile({ optimizer, loss, metrics }) in build',
  )
  t.is(
    await message({ build: async () => ({}) }),
    'TypeError: search.random: build must return a compiled model. got an object',
  )
  const once = build({ learningRate: 0.01, units: 8 })
  const [first, second] = (await random({ ...base, trials: 2, build: () => once })).trials
  t.is(first!.status, 'done')
  t.is(
    second!.reason,
    'search.random: build returned a model that an earlier trial has used. make a new model in build each time, so that no trial depends on another',
  )
  t.is(memory().tensors, before)
  const optimizer = optimizers.adam()
  const sharing = () => {
    const model = uncompiled()
    model.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    return model
  }
  t.is(
    (await random({ ...base, trials: 2, build: sharing })).trials[1]!.reason,
    'search.random: build returned an optimizer that an earlier trial has used. make a new optimizer in build each time, so that no trial depends on another',
  )
  t.is(memory().tensors, before)
})

test.serial('build may be async, and the search may judge by other figures', async (t) => {
  const later = async (params: NetParams): Promise<Model> => {
    await new Promise((resolve) => setImmediate(resolve))
    return build(params)
  }
  const accuracy = await random(base)
  const loss = await random({ ...base, build: later, objective: 'val_loss' })
  t.deepEqual(
    loss.trials.map(({ history }) => history),
    accuracy.trials.map(({ history }) => history),
  )
  const values = loss.trials.map(({ history }) => Math.min(...history.history.val_loss!))
  t.deepEqual(
    loss.trials.map(({ value }) => value),
    values,
  )
  t.is(loss.best!.value, Math.min(...values))
  t.is((await random({ ...base, objective: 'val_acc' })).best!.value, accuracy.best!.value)
  const most = await random({ ...base, objective: { monitor: 'val_loss', mode: 'max' } })
  t.is(most.best!.value, Math.max(...most.trials.map(({ value }) => value)))
  const last = await random({ ...base, objective: ({ history }) => history.accuracy!.at(-1)! })
  t.is(last.best!.value, Math.max(...last.trials.map(({ history }) => history.history.accuracy!.at(-1)!)))
  const least = await random({ ...base, objective: { monitor: ({ history }) => history.loss.at(-1)!, mode: 'min' } })
  t.is(least.best!.value, Math.min(...least.trials.map(({ history }) => history.history.loss.at(-1)!)))
})

test.serial('a metric says itself which way is up', async (t) => {
  const regression = ({ learningRate }: NetParams) => {
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 1 })] })
    model.compile({
      optimizer: optimizers.adam({ learningRate }),
      loss: 'meanSquaredError',
      metrics: [metrics.meanAbsoluteError()],
    })
    return model
  }
  const part = ({ images }: LabelledImages) => ({
    images,
    labels: tensor(Float32Array.from({ length: 120 }, (_, i) => i / 60)),
  })
  const { best, trials } = await random({
    ...base,
    build: regression,
    data: { train: part(data.train), validation: part(data.validation) },
    objective: 'val_meanAbsoluteError',
  })
  t.is(best!.value, Math.min(...trials.map(({ value }) => value)))
})

test.serial('an objective that is in no history', async (t) => {
  t.is(
    await message({ objective: 'val_precision' }),
    'TypeError: search.random: objective: there is no "val_precision" in the history, which has loss, val_loss, accuracy and val_accuracy. set objective to one of them, or compile with the metric: metrics: ["precision"]',
  )
  t.is(
    await message({ objective: () => undefined as never }),
    'TypeError: search.random: objective must return a number. got undefined',
  )
  t.is(
    await message({ objective: () => Number.NaN }),
    'TypeError: search.random: objective must return a number. got NaN',
  )
})

test.serial('the batch size may be searched as well', async (t) => {
  const options = { ...base, space: { ...space, batch: search.choice([20, 60]) }, trials: 3 }
  const steps: number[] = []
  const counted = (params: NetParams) => {
    const model = build(params)
    const { optimizer } = model
    const dispose = optimizer.dispose.bind(optimizer)
    optimizer.dispose = () => {
      steps.push(optimizer.iterations)
      dispose()
    }
    return model
  }
  const { trials } = await random({ ...options, build: counted, batchSize: ({ batch }) => batch })
  t.deepEqual(
    steps,
    trials.map(({ params }) => (2 * 120) / params.batch),
  )
  t.is(
    await message({ batchSize: () => 0 }),
    'RangeError: search.random: batchSize must be a whole number from 1. got 0',
  )
})

test.serial('data as typed and nested arrays gives the same', async (t) => {
  const typed = async ({ images, labels }: LabelledImages) => ({
    images: (await images.data()) as Float32Array,
    labels: (await labels.array()) as number[],
  })
  const result = await random({
    ...base,
    data: { train: await typed(data.train), validation: await typed(data.validation) },
  })
  t.deepEqual(result, await random(base))
})

test.serial('a line for each trial, and a table', async (t) => {
  const lines: string[] = []
  const print = (line: string) => lines.push(line)
  const fixed = { units: search.choice([8]), learningRate: search.choice([1e30, 0.25]), name: search.choice(['net']) }
  const result = await random({ ...base, trials: 2, seed: 3, space: fixed, verbose: 1, print })
  const [diverged, done] = result.trials.map(({ status }) => status)[0] === 'diverged' ? [0, 1] : [1, 0]
  const value = result.best!.value.toPrecision(3)
  t.is(lines[done], `val_accuracy: ${value}, units: 8, learningRate: 0.250, name: net (${done + 1} / 2)`)
  t.is(
    lines[diverged],
    `diverged, units: 8, learningRate: 1.00e+30, name: net (${diverged + 1} / 2): ${result.trials[diverged]!.reason}`,
  )
  t.is(
    result.table(),
    [
      'trial  val_accuracy  units  learningRate  name  epochs',
      `    ${done + 1}         ${value}      8         0.250   net       2`,
      `    ${diverged + 1}      diverged      8      1.00e+30   net       0`,
    ].join('\n'),
  )
  lines.length = 0
  await random({ ...base, trials: 1, verbose: 0, print })
  t.deepEqual(lines, [])
})

test.serial('the best value at the edge of its range is worth a warning', async (t) => {
  const lines: string[] = []
  const result = await random({
    ...base,
    trials: 1,
    objective: () => 1,
    space: { units: search.integer(8, 9), learningRate: search.choice([0.01]) },
    verbose: 1,
    print: (line) => lines.push(line),
  })
  const units = result.best!.params.units
  const [side, wider] = units === 8 ? ['lower', 'search.integer(7, 9)'] : ['upper', 'search.integer(8, 10)']
  const warning = `search.random: units: the best value ${units} lies at the ${side} edge of its range, 8 to 9, so better ones may lie beyond it. widen it: ${wider}`
  t.deepEqual(result.warnings, [warning])
  t.is(lines.at(-1), warning)
})

test.serial('an abort resolves with the trials so far', async (t) => {
  const whole = await random(base)
  const controller = new AbortController()
  const before = memory()
  let built = 0
  const cut = await random({
    ...base,
    build: (params) => {
      if (++built === 3) setImmediate(() => controller.abort())
      return build(params)
    },
    epochs: 2,
    signal: controller.signal,
  })
  t.deepEqual(cut.trials, whole.trials.slice(0, 2))
  t.deepEqual([memory().tensors, memory().bytes], [before.tensors, before.bytes])
  const none = await random({ ...base, signal: AbortSignal.abort() })
  t.deepEqual([none.trials, none.best, none.warnings], [[], undefined, []])
})

test.serial('an error of print ends the search', async (t) => {
  const before = memory().tensors
  await t.throwsAsync(
    random({
      ...base,
      verbose: 1,
      print: () => {
        throw new Error('no paper')
      },
    }),
    { message: 'no paper' },
  )
  t.is(memory().tensors, before)
})

test.serial('wrong options are refused before anything is built', async (t) => {
  const { train, validation } = data
  const disposed = tensor([1])
  disposed.dispose()
  const cases: [object, string][] = [
    [{ trials: 0 }, 'RangeError: search.random: trials must be a whole number from 1. got 0'],
    [{ trials: undefined }, 'TypeError: search.random: trials must be a whole number. got undefined'],
    [{ epochs: 0.5 }, 'RangeError: search.random: epochs must be a whole number from 1. got 0.5'],
    [
      { space: {} },
      'TypeError: search.random: space is empty. give it a range, such as learningRate: search.logUniform(1e-5, 1e-1)',
    ],
    [
      { space: undefined },
      'TypeError: search.random: space must be an object with a range for each hyperparameter, such as { learningRate: search.logUniform(1e-5, 1e-1) }. got undefined',
    ],
    [
      { space: { units: 32 } },
      'TypeError: search.random: space.units must be search.uniform, search.logUniform, search.integer or search.choice. got 32. a fixed value is search.choice([value])',
    ],
    [
      { tries: 3 },
      'TypeError: search.random: there is no option tries (got 3). valid are build, space, data, objective, batchSize, seed, explosion, record, concurrency, signal, verbose, print, trials and epochs',
    ],
    [{ batch_size: 3 }, 'TypeError: search.random: there is no option batch_size (got 3). did you mean batchSize?'],
    [
      { data: { train } },
      'TypeError: search.random: data must be { train: { images, labels }, validation: { images, labels } }. data.validation is undefined',
    ],
    [
      { data: undefined },
      'TypeError: search.random: data must be { train: { images, labels }, validation: { images, labels } }. data.train is undefined',
    ],
    [
      { data: { train: { images: train.images }, validation } },
      'TypeError: search.random: data.train has no labels. give { images, labels }',
    ],
    [
      { data: { train, validation: { labels: train.labels } } },
      'TypeError: search.random: data.validation has no images. give { images, labels }',
    ],
    [
      { data: { train: { images: 'a', labels: train.labels }, validation } },
      'TypeError: search.random: data.train.images must be a Tensor that is not disposed, a typed array or nested arrays. got "a"',
    ],
    [
      { data: { train: { images: disposed, labels: train.labels }, validation } },
      'TypeError: search.random: data.train.images must be a Tensor that is not disposed, a typed array or nested arrays. got a Tensor',
    ],
    [
      { build: 'build.js' },
      'TypeError: search.random: build must be a function that returns a compiled model, or the URL of a module that exports one. got "build.js"',
    ],
    [
      { objective: 3 },
      "TypeError: search.random: objective must be the name of a figure such as 'val_loss', a function of the history, or { monitor, mode }. got 3",
    ],
    [
      { objective: { monitor: 'loss', mode: 'least' } },
      "TypeError: search.random: objective.mode must be 'auto', 'min' or 'max'. got \"least\"",
    ],
    [
      { objective: { key: 'loss' } },
      'TypeError: search.random: objective: there is no option key (got "loss"). valid are monitor and mode',
    ],
    [{ batchSize: 0 }, 'RangeError: search.random: batchSize must be a whole number from 1. got 0'],
    [{ seed: -1 }, 'RangeError: search.random: seed must be a whole number from 0 to 2^53 - 1. got -1'],
    [{ explosion: 1 }, 'RangeError: search.random: explosion must be above 1. got 1'],
    [{ record: 3 }, 'TypeError: search.random: record must be a path or a file URL. got 3'],
    [{ signal: {} }, 'TypeError: search.random: signal must be an AbortSignal. got an object'],
    [{ verbose: 2 }, 'RangeError: search.random: verbose must be 0 or 1. got 2'],
    [{ print: 'x' }, 'TypeError: search.random: print must be a function. got "x"'],
    [{ concurrency: 0 }, 'RangeError: search.random: concurrency must be a whole number from 1. got 0'],
    [{ concurrency: 'all' }, 'TypeError: search.random: concurrency must be \'auto\'. got "all"'],
    [
      { concurrency: 2 },
      "TypeError: search.random: concurrency 2 needs build to be the URL of a module that exports build: a function cannot be sent to a worker thread. got function build. put it into a file: build: new URL('./build.js', import.meta.url)",
    ],
  ]
  for (const [options, expected] of cases) t.is(await message(options), expected)
  t.is(
    await message({ data: { train: { images: train.images, labels: tensor([1]) }, validation } }),
    'ShapeError: fit: there are 120 samples, but 1 labels. each sample needs one. labels [1]',
  )
  await t.throwsAsync(random(undefined as never), {
    message: 'search.random: expects an options object. got undefined',
  })
})

test.serial('initializers that draw numbers of their own are seeded too', async (t) => {
  const own = { ...base, trials: 1 }
  const drawn: number[][] = []
  const build = (params: NetParams) => {
    const model = sequential({
      inputShape: [2],
      layers: [
        layers.dense({ units: 3, kernelInitializer: initializers.randomNormal({ stdDev: params.learningRate }) }),
      ],
    })
    model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    void model.weights[0]!.data().then((values) => drawn.push([...values]))
    return model
  }
  await random({ ...own, build })
  await random({ ...own, build })
  t.is(drawn.length, 2)
  t.deepEqual(drawn[0], drawn[1])
})
