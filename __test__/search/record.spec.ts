// The record of a search: what it survives, and what it refuses.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { search } from 'ferrograd'
import { packageUrl, runScript } from '../helpers/child.js'
import { base, build, data, type NetParams, space } from '../helpers/search.js'

const { random } = search
const folder = mkdtempSync(join(tmpdir(), 'search-record-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = () => join(folder, `${++files}.jsonl`)
const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1)

/** The network, and how many were built. */
function counting() {
  const count = { built: 0, build: (params: NetParams) => build(params) }
  count.build = (params) => {
    count.built++
    return build(params)
  }
  return count
}

test.serial('one line for the search, and one for each trial', async (t) => {
  const record = fresh()
  const result = await random({ ...base, record })
  t.deepEqual(result, await random(base), 'a record changes nothing')
  const lines = linesOf(record).map((line) => JSON.parse(line))
  t.is(lines.length, 5)
  t.deepEqual(lines[0], {
    ferrograd: 'search',
    part: 'random',
    search: {
      space: {
        learningRate: { kind: 'logUniform', min: 0.001, max: 0.3 },
        units: { kind: 'choice', values: [8, 16] },
      },
      seed: 7,
      epochs: 2,
      objective: 'val_accuracy',
      mode: 'auto',
      batchSize: 32,
      explosion: 3,
      data: {
        train: ['float32 [120, 2]', 'int32 [120]'],
        validation: ['float32 [120, 2]', 'int32 [120]'],
      },
    },
  })
  for (const [i, line] of lines.slice(1).entries()) {
    t.deepEqual(line, { ferrograd: 'search', part: 'random', mode: 'max', trial: result.trials[i] })
  }
})

test.serial('a finished search is read, not run; a larger one adds trials', async (t) => {
  const record = fresh()
  const first = await random({ ...base, record: pathToFileURL(record) })
  const count = counting()
  t.deepEqual(await random({ ...base, build: count.build, record }), first)
  t.is(count.built, 0)
  const lines: string[] = []
  const print = (line: string) => lines.push(line.replace(/^.*\(/, '('))
  const more = await random({ ...base, build: count.build, record, trials: 6, verbose: 1, print })
  t.is(count.built, 2)
  t.deepEqual(lines.slice(0, 3), ['random search: 4 of 6 trials are in the record', '(5 / 6)', '(6 / 6)'])
  t.deepEqual(more, await random({ ...base, trials: 6 }))
  t.deepEqual(await random({ ...base, record, trials: 2 }), await random({ ...base, trials: 2 }))
})

test.serial('an aborted search goes on to the same end', async (t) => {
  const record = fresh()
  const whole = await random(base)
  for (const stopAt of [1, 2]) {
    const controller = new AbortController()
    let built = 0
    const cut = await random({
      ...base,
      record,
      signal: controller.signal,
      build: (params) => {
        if (++built === stopAt) setImmediate(() => controller.abort())
        return build(params)
      },
    })
    t.is(cut.trials.length, stopAt - 1)
  }
  const count = counting()
  t.deepEqual(await random({ ...base, build: count.build, record }), whole)
  t.is(count.built, 3)
})

test.serial('numbers that JSON has no words for come back as they were', async (t) => {
  const record = fresh()
  const options = { ...base, space: { ...space, learningRate: search.choice([0.01, 1e30]) }, trials: 6, record }
  const result = await random(options)
  t.true(result.trials.some(({ status }) => status === 'diverged'))
  t.deepEqual(await random(options), result)
  const infinite = { ...base, record: fresh(), trials: 2, objective: () => Number.POSITIVE_INFINITY }
  await random(infinite)
  t.is((await random(infinite)).best?.value, Number.POSITIVE_INFINITY)
})

test.serial('a torn last line is dropped, wherever it was torn', async (t) => {
  const whole = await random(base)
  const record = fresh()
  await random({ ...base, record, trials: 3 })
  const bytes = readFileSync(record)
  const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)
  const last = ends.at(-2)!
  for (const length of [last + 1, last + 30, bytes.length - 40, bytes.length - 1]) {
    const torn = fresh()
    writeFileSync(torn, bytes.subarray(0, length))
    const count = counting()
    t.deepEqual(await random({ ...base, build: count.build, record: torn }), whole)
    t.is(count.built, 2)
    t.is(linesOf(torn).length, 5)
  }
  for (const length of [0, 5, 40]) {
    const torn = fresh()
    writeFileSync(torn, bytes.subarray(0, length))
    t.deepEqual(await random({ ...base, record: torn }), whole)
    t.is(linesOf(torn).length, 5)
  }
})

test.serial('nothing is left of a torn line that is longer than what is written over it', async (t) => {
  const record = fresh()
  await random({ ...base, record, trials: 3 })
  appendFileSync(record, `{"ferrograd":"search","part":"${'x'.repeat(20_000)}`)
  const whole = await random({ ...base, record })
  t.is(readFileSync(record, 'utf8').at(-1), '\n')
  t.deepEqual(
    linesOf(record)
      .slice(1)
      .map((line) => JSON.parse(line).trial),
    whole.trials,
  )
})

test.serial('trials that failed are tried again', async (t) => {
  const record = fresh()
  let broken = true
  const flaky = (params: NetParams) => {
    if (broken && params.units === 16) throw new Error('out of order')
    return build(params)
  }
  const first = await random({ ...base, trials: 6, build: flaky, record })
  t.true(first.trials.some(({ status }) => status === 'failed'))
  broken = false
  t.deepEqual(await random({ ...base, trials: 6, build: flaky, record }), await random({ ...base, trials: 6 }))
  const count = counting()
  await random({ ...base, trials: 6, build: count.build, record })
  t.is(count.built, 0)
})

test.serial('without a seed, that of the record counts', async (t) => {
  const { seed: _, ...unseeded } = base
  const record = fresh()
  const first = await random({ ...unseeded, record })
  t.deepEqual(await random({ ...unseeded, record }), first)
})

async function refusal(options: object): Promise<string> {
  try {
    await random({ ...base, ...options } as never)
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'nothing was thrown'
}

test.serial('the record of another search is refused', async (t) => {
  const record = fresh()
  await random({ ...base, record, trials: 1 })
  const before = readFileSync(record, 'utf8')
  const other = (what: string, there: string, here: string) =>
    `FormatError: search.random: the record "${record}" belongs to another search: its ${what} is ${there}, that of this one is ${here}. give another path, or delete the file`
  t.is(await refusal({ record, seed: 8 }), other('seed', '7', '8'))
  t.is(await refusal({ record, epochs: 3 }), other('epochs', '2', '3'))
  t.is(await refusal({ record, batchSize: 16 }), other('batchSize', '32', '16'))
  t.is(await refusal({ record, explosion: 5 }), other('explosion', '3', '5'))
  t.is(await refusal({ record, objective: 'val_loss' }), other('objective', '"val_accuracy"', '"val_loss"'))
  t.is(
    await refusal({ record, space: { units: space.units, learningRate: search.logUniform(1e-3, 1) } }),
    other(
      'space',
      '{"learningRate":{"kind":"logUniform","min":0.001,"max":0.3},"units":{"kind":"choice","values":[8,16]}}',
      '{"learningRate":{"kind":"logUniform","min":0.001,"max":1},"units":{"kind":"choice","values":[8,16]}}',
    ),
  )
  t.is(
    await refusal({ record, data: { train: data.train, validation: { images: [[1, 2]], labels: [1] } } }),
    other(
      'data',
      '{"train":["float32 [120, 2]","int32 [120]"],"validation":["float32 [120, 2]","int32 [120]"]}',
      '{"train":["float32 [120, 2]","int32 [120]"],"validation":["Array 1","Array 1"]}',
    ),
  )
  await t.throwsAsync(search.coarseToFine({ ...withoutTrials, coarse: { trials: 1 }, fine: { trials: 1 }, record }), {
    message: `search.coarseToFine: the record "${record}" belongs to another search: its kind is random, that of this one is coarse. give another path, or delete the file`,
  })
  t.is(readFileSync(record, 'utf8'), before, 'nothing was changed')
})
const { trials: _trials, epochs: _epochs, ...withoutTrials } = base

test.serial('a file that is no record is refused and left alone', async (t) => {
  const record = fresh()
  for (const text of ['my notes', 'my notes\n', '{"ferrograd":"model"}\n', '\n', '{"ferrograd":"sea rch"']) {
    writeFileSync(record, text)
    t.is(
      await refusal({ record }),
      `FormatError: search.random: "${record}" is no record of a search: line 1 does not begin with {"ferrograd":"search". give another path`,
    )
    t.is(readFileSync(record, 'utf8'), text)
  }
})

test.serial('a record that is damaged in the middle is refused and left alone', async (t) => {
  const record = fresh()
  await random({ ...base, record, trials: 2 })
  const lines = linesOf(record)
  for (const line of ['{"ferrograd":"search","part":', '{"ferrograd":"search","part":"random","trial":{"index":0}}']) {
    const text = `${[lines[0], line, lines[2]].join('\n')}\n`
    writeFileSync(record, text)
    t.is(
      await refusal({ record }),
      `FormatError: search.random: the record "${record}" is damaged at line 2. delete the line, or the file`,
    )
    t.is(readFileSync(record, 'utf8'), text)
  }
})

test.serial('two searches cannot share a record', async (t) => {
  const record = fresh()
  const running = random({ ...base, record })
  t.is(await refusal({ record }), `TypeError: search.random: the record "${record}" is in use by another search`)
  await running
  t.is((await random({ ...base, record })).trials.length, 4)
})

test.serial('a record that cannot be opened', async (t) => {
  const record = join(folder, 'no', 'such', 'folder.jsonl')
  await t.throwsAsync(random({ ...base, record }), { code: 'ENOENT' })
  await t.throwsAsync(random({ ...base, record: folder }), { code: 'EISDIR' })
})

test.serial('a process that is killed loses no finished trial', async (t) => {
  const record = fresh()
  const helper = new URL('../helpers/search.js', import.meta.url).href
  const script = `
    import { search } from ${JSON.stringify(packageUrl)}
    const { base, build } = await import(${JSON.stringify(helper)})
    let built = 0
    await search.random({
      ...base,
      record: ${JSON.stringify(record)},
      build: (params) => {
        if (++built === 3) process.kill(process.pid, 'SIGKILL')
        return build(params)
      },
    })`
  const { signal } = await runScript(script)
  t.is(signal, 'SIGKILL')
  t.is(linesOf(record).length, 3)
  appendFileSync(record, '{"ferrograd":"search","part":"random","tri')
  const count = counting()
  t.deepEqual(await random({ ...base, build: count.build, record }), await random(base))
  t.is(count.built, 2)
})

test.serial('what is no file is refused', async (t) => {
  if (!existsSync('/dev/zero')) {
    t.log('skipped: there is no /dev/zero here')
    t.pass()
    return
  }
  t.is(
    await refusal({ record: '/dev/zero' }),
    'FormatError: search.random: the record "/dev/zero" is no regular file. give another path',
  )
})
