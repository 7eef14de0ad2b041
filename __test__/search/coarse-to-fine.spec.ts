// The search in two rounds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { memory, search } from 'ferrograd'
import { base, build, data, type NetParams } from '../helpers/search.js'

const { coarseToFine } = search
const folder = mkdtempSync(join(tmpdir(), 'coarse-to-fine-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const space = { learningRate: search.logUniform(1e-5, 0.3), units: search.choice([8, 16]) }
const options = {
  build,
  space,
  data,
  coarse: { trials: 8, epochs: 1 },
  fine: { trials: 3, epochs: 2 },
  seed: 2,
  verbose: 0,
} as const

test.serial('the fine round looks where the best quarter of the coarse one lies', async (t) => {
  const before = memory()
  const { coarse, fine, fineSpace, trials, best } = await coarseToFine(options)
  t.deepEqual([memory().tensors, memory().bytes], [before.tensors, before.bytes])
  t.deepEqual(trials, [...coarse.trials, ...fine!.trials])
  t.deepEqual(
    trials.map(({ history }) => history.epoch.length),
    [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2],
  )
  t.deepEqual(coarse.trials, (await search.random({ ...base, space, seed: 2, trials: 8, epochs: 1 })).trials)
  const values = [...coarse.trials].sort((a, b) => b.value - a.value)
  t.true(best!.value >= values[0]!.value)
  const good = values.slice(0, 2).map(({ params }) => Math.log10(params.learningRate))
  const tenth = (Math.log10(0.3) + 5) / 10
  const { min, max } = fineSpace!.learningRate as unknown as { min: number; max: number }
  t.true(Math.abs(Math.log10(min) - (Math.min(...good) - tenth)) < 1e-9)
  const top = Math.max(...good) + tenth
  t.true(Math.abs(Math.log10(max) - top) < 1e-9 || max === 0.3)
  for (const { params } of fine!.trials) t.true(params.learningRate >= min && params.learningRate <= max)
})

test.serial('epochs are 5 and 20 unless said otherwise', async (t) => {
  const { trials } = await coarseToFine({ ...options, coarse: { trials: 1 }, fine: { trials: 1 } })
  t.deepEqual(
    trials.map(({ history }) => history.epoch.length),
    [5, 20],
  )
})

test.serial('the same seed, the same result; with a record too, and after an abort in either round', async (t) => {
  const whole = await coarseToFine(options)
  for (const stopAt of [1, 5, 9, 11]) {
    const record = join(folder, `${stopAt}.jsonl`)
    const controller = new AbortController()
    let built = 0
    const cut = await coarseToFine({
      ...options,
      record,
      signal: controller.signal,
      build: (params: NetParams) => {
        if (++built === stopAt) setImmediate(() => controller.abort())
        return build(params)
      },
    })
    t.deepEqual(cut.trials, whole.trials.slice(0, stopAt - 1))
    t.is(cut.fine === undefined, stopAt < 9)
    t.deepEqual(await coarseToFine({ ...options, record }), whole)
    t.deepEqual(await coarseToFine({ ...options, record, build: () => t.fail() as never }), whole)
  }
  const record = join(folder, '11.jsonl')
  await t.throwsAsync(coarseToFine({ ...options, record, coarse: { trials: 9, epochs: 1 } }), {
    message: `search.coarseToFine: the record "${record}" belongs to another search: its trials is 8, that of this one is 9. give another path, or delete the file`,
  })
  await t.throwsAsync(coarseToFine({ ...options, record, fine: { trials: 3, epochs: 4 } }), {
    message: `search.coarseToFine: the record "${record}" belongs to another search: its epochs is 2, that of this one is 4. give another path, or delete the file`,
  })
})

// The value of a trial is its learning rate, so that the best lies at the upper edge.
test.serial('a best value at the edge: the fine round goes beyond it, and the end is warned of', async (t) => {
  const rates: number[] = []
  const lines: string[] = []
  const result = await coarseToFine({
    ...options,
    space: { learningRate: search.logUniform(1e-4, 1e-1), units: search.choice([8]) },
    build: (params) => {
      rates.push(params.learningRate)
      return build({ ...params, learningRate: 1e-3 })
    },
    objective: () => rates.at(-1)!,
    coarse: { trials: 24, epochs: 1 },
    fine: { trials: 24, epochs: 1 },
    verbose: 1,
    print: (line) => lines.push(line),
  })
  const { coarse, fine, best } = result
  t.true(best!.params.learningRate > 0.1)
  t.is(best, fine!.best)
  t.is(lines[0], 'coarse search: 24 trials of 1 epoch')
  t.regex(
    coarse.warnings.join(),
    /^search\.coarseToFine: learningRate: the best value \S+ lies at the upper edge of its range, 1e-4 to 0\.1, so better ones may lie beyond it\. widen it: search\.logUniform\(1e-4, 1\)$/,
  )
  t.is(lines[25], coarse.warnings[0])
  t.regex(
    lines[26]!,
    /^fine search: 24 trials of 1 epoch, learningRate: search\.logUniform\(0\.\d+, 0\.\d+\), units: search\.choice\(\[8\]\)$/,
  )
  t.regex(
    result.warnings.join(),
    /^search\.coarseToFine: learningRate: the best value \S+ lies at the upper edge of its range, 0\.\d+ to 0\.\d+, so better ones may lie beyond it\. widen it: search\.logUniform\(0\.\d+, \d\.\d+\)$/,
  )
  t.is(lines.at(-1), result.warnings[0])
  t.regex(result.table(), /^coarse\ntrial {2}objective {2}learningRate {2}units {2}epochs\n[\s\S]*\n\nfine\ntrial/)
})

test.serial('without a coarse trial that got done there is no fine round', async (t) => {
  const hopeless = { ...options, space: { learningRate: search.choice([1e30]), units: search.choice([8]) } }
  const { fine, best, trials, warnings } = await coarseToFine(hopeless)
  t.deepEqual([fine, best, trials.length], [undefined, undefined, 8])
  t.regex(
    warnings.join(),
    /^search\.coarseToFine: no trial was done\. trial 1 diverged: the loss is \S+ at batch \d of epoch 0\. try lower learning rates$/,
  )
})

test.serial('a fine round in which everything fails leaves the coarse one', async (t) => {
  let built = 0
  const result = await coarseToFine({
    ...options,
    build: (params: NetParams) => {
      if (++built > 8) throw new Error('too late')
      return build(params)
    },
  })
  t.is(result.best, result.coarse.best)
  t.deepEqual(result.fine!.warnings, ['search.coarseToFine: no trial was done. trial 1 failed: too late'])
})

test.serial('wrong rounds', async (t) => {
  const cases: [object, string][] = [
    [{ coarse: undefined }, 'search.coarseToFine: coarse must be { trials, epochs }. got undefined'],
    [{ fine: 3 }, 'search.coarseToFine: fine must be { trials, epochs }. got 3'],
    [{ fine: {} }, 'search.coarseToFine: fine.trials must be a whole number. got undefined'],
    [{ coarse: { trials: 0 } }, 'search.coarseToFine: coarse.trials must be a whole number from 1. got 0'],
    [{ fine: { trials: 1, epochs: 0 } }, 'search.coarseToFine: fine.epochs must be a whole number from 1. got 0'],
    [
      { fine: { trials: 1, seed: 2 } },
      'search.coarseToFine: fine: there is no option seed (got 2). valid are trials and epochs',
    ],
    [
      { trials: 3 },
      'search.coarseToFine: there is no option trials (got 3). valid are build, space, data, objective, batchSize, seed, explosion, record, concurrency, signal, verbose, print, coarse and fine',
    ],
  ]
  for (const [wrong, message] of cases) {
    await t.throwsAsync(coarseToFine({ ...options, ...wrong } as never), { message })
  }
})
