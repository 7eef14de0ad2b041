// Trials on worker threads.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { memory, search, setThreads, threads } from 'ferrograd'
import { shareData } from '../../dist/search/shared-data.js'
import { packageUrl, runScript } from '../helpers/child.js'
import { base, data, space } from '../helpers/search.js'

const { random } = search
const moduleUrl = (name: string) => new URL(`./modules/${name}.js`, import.meta.url)
const build = moduleUrl('net')

test.serial('workers give the same as this thread, bit for bit, and take nothing', async (t) => {
  const here = await random(base)
  const before = memory()
  const { train, validation } = data
  for (const concurrency of [1, 2, 3]) t.deepEqual(await random({ ...base, build, concurrency }), here)
  t.deepEqual(await random({ ...base, build }), here, "'auto'")
  const typed = {
    train: { images: (await train.images.data()) as Float32Array, labels: await train.labels.data() },
    validation: { images: (await validation.images.array()) as number[][], labels: await validation.labels.data() },
  }
  t.deepEqual(await random({ ...base, build, concurrency: 2, data: typed }), here)
  t.deepEqual([memory().tensors, memory().bytes], [before.tensors, before.bytes])
})

test.serial('with a record, and coarse to fine, it is the same as well', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'search-workers-'))
  try {
    const record = join(folder, 'record.jsonl')
    const here = await random({ ...base, trials: 6 })
    await random({ ...base, build, concurrency: 2, trials: 3, record })
    t.deepEqual(await random({ ...base, build, concurrency: 2, trials: 6, record }), here)
    t.deepEqual(await random({ ...base, build: () => t.fail() as never, trials: 6, record }), here)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { trials: _trials, epochs: _epochs, ...rest } = base
  const rounds = { ...rest, coarse: { trials: 4, epochs: 1 }, fine: { trials: 3, epochs: 2 } }
  t.deepEqual(await search.coarseToFine({ ...rounds, build, concurrency: 2 }), await search.coarseToFine(rounds))
})

test('threads share one copy of the data', async (t) => {
  const shared = await shareData({ train: data.train, validation: { images: new Float32Array([1, 2]), labels: [0] } })
  const { images, labels } = shared.train
  t.deepEqual([images.shape, labels.shape], [data.train.images.shape, data.train.labels.shape])
  for (const { values } of [images, labels, shared.validation.images]) {
    t.true((values as Float32Array).buffer instanceof SharedArrayBuffer)
  }
  t.deepEqual([...(images.values as Float32Array)], [...(await data.train.images.data())])
  // What lies in shared memory already is not copied.
  const part = { images: images.values, labels: labels.values }
  t.is((await shareData({ train: part, validation: part })).train.images.values, images.values)
})

test.serial("'auto' goes over to workers when the rest of the search is long", async (t) => {
  const before = threads()
  setThreads(2)
  const { trials } = await random({ ...base, build: moduleUrl('lasting'), trials: 11 })
  setThreads(1)
  const alone = await random({ ...base, build: moduleUrl('lasting'), trials: 1 })
  setThreads(before)
  // 1.1 seconds for the first trial say that ten more take longer than ten seconds.
  t.is(trials[0]!.status, 'done')
  t.deepEqual(
    trials.slice(1).map(({ reason }) => reason),
    Array<string>(10).fill('on another thread'),
  )
  t.is(alone.trials[0]!.status, 'done')
})

test.serial('a worker that dies fails its trial, and the search goes on', async (t) => {
  const here = await random({ ...base, trials: 6 })
  for (const [name, reason, type] of [
    ['deadly', 'the worker thread ended with exit code 3', Error],
    ['raising', 'out of nowhere', RangeError],
  ] as const) {
    const { trials } = await random({ ...base, trials: 6, build: moduleUrl(name), concurrency: 2 })
    t.is(trials.length, 6)
    for (const [i, trial] of trials.entries()) {
      if (trial.params.units === 8) t.deepEqual(trial, here.trials[i])
      else {
        t.is(trial.status, 'failed')
        t.is(trial.reason, reason)
        t.true(trial.error instanceof type)
      }
    }
  }
})

test.serial('when every worker dies, the search rejects', async (t) => {
  const only16 = { ...space, units: search.choice([16 as 8]) }
  await t.throwsAsync(random({ ...base, space: only16, trials: 2, build: moduleUrl('deadly'), concurrency: 2 }), {
    message: 'the worker thread ended with exit code 3',
  })
})

test.serial('a module that cannot build ends the search', async (t) => {
  for (const concurrency of [1, 2]) {
    const options = { ...base, concurrency }
    await t.throwsAsync(random({ ...options, build: moduleUrl('broken') }), {
      instanceOf: TypeError,
      message: 'this module is broken',
    })
    await t.throwsAsync(random({ ...options, build: moduleUrl('empty') }), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
      message: `search.random: the module ${moduleUrl('empty').href} must export a function build(params). its build is undefined`,
    })
    await t.throwsAsync(random({ ...options, build: moduleUrl('missing') }), { code: 'ERR_MODULE_NOT_FOUND' })
  }
  await t.throwsAsync(random({ ...base, concurrency: 2, build: moduleUrl('leaving') }), {
    message: 'search.random: a worker thread could not begin: the worker thread ended with exit code 5',
  })
})

test.serial('errors of a trial keep their class and text', async (t) => {
  const error = await t.throwsAsync(random({ ...base, build, concurrency: 2, objective: 'val_precision' }))
  t.true(error instanceof TypeError)
  t.is((error as { code?: string }).code, 'ERR_INVALID_ARG_TYPE')
  t.regex(error!.message, /^search\.random: objective: there is no "val_precision" in the history/)
  const wide = { ...data, train: { ...data.train, images: [[1, 2, 3]], labels: [0] } }
  const shape = await t.throwsAsync(random({ ...base, build, concurrency: 2, data: wide }))
  t.is(shape!.constructor.name, 'ShapeError')
})

test.serial('an abort ends the workers and keeps what they finished', async (t) => {
  const here = await random({ ...base, trials: 40 })
  const controller = new AbortController()
  const { trials } = await random({
    ...base,
    build,
    concurrency: 2,
    trials: 40,
    signal: controller.signal,
    verbose: 1,
    print: () => controller.abort(),
  })
  t.true(trials.length >= 1 && trials.length < 40)
  for (const trial of trials) t.deepEqual(trial, here.trials[trial.index])
})

test.serial('an error of print ends the workers and the search', async (t) => {
  const print = () => {
    throw new Error('no paper')
  }
  await t.throwsAsync(random({ ...base, build, concurrency: 2, verbose: 1, print }), { message: 'no paper' })
})

test.serial('a search with workers in a script given as text, that leaves the process free to end', async (t) => {
  const helper = new URL('../helpers/search.js', import.meta.url).href
  const result = await runScript(`
    import { search } from ${JSON.stringify(packageUrl)}
    const { base } = await import(${JSON.stringify(helper)})
    const result = await search.random({ ...base, build: new URL(${JSON.stringify(build.href)}), concurrency: 2 })
    console.log(result.trials.map(({ status }) => status).join())
  `)
  t.like(result, { code: 0, stdout: 'done,done,done,done\n' })
})
