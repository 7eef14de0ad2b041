// Tables: types, categories, missing values, quotes and line ends.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { datasets, FormatError, layers, optimizers, sequential } from 'ferrograd'

type Options = Parameters<typeof datasets.csv>[1]

function file(t: ExecutionContext, text: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograd-csv-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'table.csv')
  writeFileSync(path, text)
  return path
}

async function table(t: ExecutionContext, text: string | Buffer, options: Options) {
  const { train } = await datasets.csv(file(t, text), options)
  return {
    rows: await train.images.array(),
    labels: Array.from(await train.labels.data()),
    dtype: train.labels.dtype,
    names: train.featureNames,
    classes: train.classNames,
  }
}

test('columns are numbers or categories, and a label may be either', async (t) => {
  const text = 'size,colour,kind\n1.5,red,b\n-2e3,blue,a\n.5,red,b\n'
  t.deepEqual(await table(t, text, { label: 'kind' }), {
    rows: [
      [1.5, 0, 1],
      [-2000, 1, 0],
      [0.5, 0, 1],
    ],
    labels: [1, 0, 1],
    dtype: 'int32',
    names: ['size', 'colour=blue', 'colour=red'],
    classes: ['a', 'b'],
  })
  t.deepEqual(await table(t, text, { label: 'size', columns: { kind: 'skip' } }), {
    rows: [
      [0, 1],
      [1, 0],
      [0, 1],
    ],
    labels: [1.5, -2000, 0.5],
    dtype: 'float32',
    names: ['colour=blue', 'colour=red'],
    classes: [],
  })
})

test('a number may be declared a category, whose order is that of numbers', async (t) => {
  const found = await table(t, 'x,y\n1,10\n2,9\n3,-1\n', { label: 'y', columns: { y: 'category', x: 'category' } })
  t.deepEqual(found.classes, ['-1', '9', '10'])
  t.deepEqual(found.labels, [2, 1, 0])
  t.deepEqual(found.names, ['x=1', 'x=2', 'x=3'])
})

test('quotes, line ends, a byte order mark, blank lines and other delimiters', async (t) => {
  const expected = [[1], [2]]
  const texts: [string, Options][] = [
    ['\ufeff"a, b",y\r\n1,x\r\n\r\n2,z\r\n', { label: 'y' }],
    ['"a, b",y\r1,x\r2,z', { label: 'y' }],
    ['"a, b";y\n1;"x"\n2;z\n', { label: 'y', delimiter: ';' }],
    ['"a, b"\ty\n 1 \t x \n2\tz\n', { label: 'y', delimiter: '\t' }],
    ['1,x\n2,z\n', { label: 'y', header: ['a, b', 'y'] }],
  ]
  for (const [text, options] of texts) {
    const found = await table(t, text, options)
    t.deepEqual([found.rows, found.names, found.classes], [expected, ['a, b'], ['x', 'z']])
  }
  const quoted = await table(t, 'a,y\n1,"he said ""no""\nand left"\n2,b\n', { label: 'y' })
  t.deepEqual(quoted.classes, ['b', 'he said "no"\nand left'])
  t.deepEqual((await table(t, '1,2\n3,4\n', { label: '1', header: false })).rows, [[1], [3]])
  const odd = await table(t, '__proto__,constructor\n1,toString\n2,valueOf\n', { label: 'constructor' })
  t.deepEqual([odd.names, odd.classes], [['__proto__'], ['toString', 'valueOf']])
})

test('missing values are an error, the mean of the rows to train on, or a number', async (t) => {
  const text = 'a,b,y\n1,p,0\n,q,1\n4,NA,0\n'
  const path = file(t, text)
  await t.throwsAsync(datasets.csv(path, { label: 'y' }), {
    instanceOf: FormatError,
    message: `datasets.csv: line 3, column "a" of ${path} is missing. fill it, or pass missing: 'mean' or a number`,
  })
  t.deepEqual((await table(t, text, { label: 'y', missing: 'mean' })).rows, [
    [1, 1, 0],
    [2.5, 0, 1],
    [4, 0, 0],
  ])
  t.deepEqual((await table(t, text, { label: 'y', missing: -1 })).rows, [
    [1, 1, 0],
    [-1, 0, 1],
    [4, 0, 0],
  ])
  for (const gap of ['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', ' ']) {
    t.deepEqual((await table(t, `a,y\n1,0\n${gap},1\n`, { label: 'y', missing: 7 })).rows, [[1], [7]])
  }
  const unlabelled = file(t, 'a,y\n1,0\n2,\n')
  await t.throwsAsync(datasets.csv(unlabelled, { label: 'y', missing: 0 }), {
    message: `datasets.csv: line 3, column "y" of ${unlabelled} is missing. a row needs its label: remove it`,
  })
})

test('a part of the rows is held back, the same each time, and does not show in a mean', async (t) => {
  const lines = Array.from({ length: 20 }, (_, i) => `${i},${i % 2}`)
  const path = file(t, `a,y\n${lines.join('\n')}\n`)
  const load = async (options: Partial<Options>) => {
    const { train, test: held } = await datasets.csv(path, { label: 'y', ...options })
    return [Array.from(await train.images.data()), Array.from(await held.images.data())] as const
  }
  const [train, held] = await load({ testSplit: 0.25 })
  t.deepEqual([train.length, held.length], [15, 5])
  t.deepEqual(
    [...train, ...held].sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i),
  )
  t.deepEqual(await load({ testSplit: 0.25 }), [train, held])
  t.notDeepEqual((await load({ testSplit: 0.25, seed: 1 }))[1], held)
  const gap = file(t, `a,y\n,9\n${lines.join('\n')}\n`)
  for (const seed of [0, 1, 2, 3, 4, 5]) {
    const parts = await datasets.csv(gap, { label: 'y', missing: 'mean', testSplit: 0.5, seed })
    const fillers: number[] = []
    const known: number[] = []
    for (const part of [parts.train, parts.test]) {
      const [values, labels] = [await part.images.data(), await part.labels.data()]
      for (const [i, label] of labels.entries()) {
        if (label === 9) fillers.push(values[i]!)
        else if (part === parts.train) known.push(values[i]!)
      }
    }
    t.deepEqual(fillers, [Math.fround(known.reduce((sum, value) => sum + value / known.length, 0))])
  }
})

test('what is wrong is said with line and column', async (t) => {
  const cases: [string, Options, (path: string) => string][] = [
    [
      'a,y\n1,0\nx,1\n',
      { label: 'y', columns: { a: 'number' } },
      (path) =>
        `datasets.csv: line 3, column "a" of ${path} is "x", which is no number. declare the column: columns: { "a": 'category' }, or 'skip' to leave it out`,
    ],
    [
      'a,y\n0x10,0\n',
      { label: 'y', columns: { a: 'number' } },
      (path) =>
        `datasets.csv: line 2, column "a" of ${path} is "0x10", which is no number. declare the column: columns: { "a": 'category' }, or 'skip' to leave it out`,
    ],
    [
      'a,y\n1,0\n1,2,3\n',
      { label: 'y' },
      (path) =>
        `datasets.csv: line 3 of ${path} has 3 fields, but there are 2 columns. fields with a "," inside belong in quotes`,
    ],
    ['a,b\n1,0\n', { label: 'y' }, (path) => `datasets.csv: ${path} has no column "y". it has "a" and "b"`],
    [
      'a,y\n1,0\n',
      { label: 'y', columns: { z: 'skip' } },
      (path) => `datasets.csv: ${path} has no column "z". it has "a" and "y"`,
    ],
    [
      'a,a\n1,0\n',
      { label: 'a' },
      (path) =>
        `datasets.csv: line 1 of ${path} names two columns "a". if the file has no header, pass header: false or the names`,
    ],
    ['', { label: 'y' }, (path) => `datasets.csv: ${path} is empty`],
    ['a,y\n', { label: 'y' }, (path) => `datasets.csv: ${path} has a header and no rows`],
    [
      'y\n1\n',
      { label: 'y' },
      (path) => `datasets.csv: ${path} has no column beside the label and those that are skipped`,
    ],
  ]
  for (const [text, options, message] of cases) {
    const path = file(t, text)
    await t.throwsAsync(datasets.csv(path, options), { instanceOf: FormatError, message: message(path) })
  }
  const open = file(t, 'a,y\n1,0\n"2,1\n3,0\n')
  const error = await t.throwsAsync(datasets.csv(open, { label: 'y' }), { instanceOf: FormatError })
  t.regex(error!.message, /^datasets\.csv: line \d of \S+: Quote Not Closed/)
  await t.throwsAsync(datasets.csv('/not/there.csv', { label: 'y' }), {
    message: 'datasets.csv: /not/there.csv cannot be read. there is no such file or folder (ENOENT)',
    code: 'ENOENT',
  })
})

test('wrong options are refused', async (t) => {
  const path = file(t, 'a,y\n1,0\n')
  const cases: [unknown, string][] = [
    [undefined, 'datasets.csv: expects an options object. got undefined'],
    [{}, 'datasets.csv: label must be the name of a column. got undefined'],
    [{ label: 'y', columns: 5 }, "datasets.csv: columns must say what columns hold, such as { age: 'number' }. got 5"],
    [
      { label: 'y', columns: { a: 'text' } },
      "datasets.csv: columns[\"a\"] must be 'number', 'category' or 'skip'. got \"text\"",
    ],
    [{ label: 'y', columns: { y: 'skip' } }, 'datasets.csv: column "y" is the label, which cannot be skipped'],
    [{ label: 'y', missing: 'median' }, "datasets.csv: missing must be 'error', 'mean' or a number. got \"median\""],
    [{ label: 'y', missing: Number.NaN }, "datasets.csv: missing must be 'error', 'mean' or a number. got NaN"],
    [{ label: 'y', header: [] }, 'datasets.csv: header must be true, false or the names of the columns. got []'],
    [{ label: 'y', delimiter: '' }, 'datasets.csv: delimiter must be a text without quotes and line ends. got ""'],
    [{ label: 'y', testSplit: -0.1 }, 'datasets.csv: testSplit must be from 0 up to 1, without 1. got -0.1'],
    [{ label: 'y', seed: 3 }, 'datasets.csv: seed has no effect without testSplit'],
  ]
  for (const [options, message] of cases) await t.throwsAsync(datasets.csv(path, options as never), { message })
})

test('long files, in pieces', async (t) => {
  const rows = Array.from(
    { length: 30_000 },
    (_, i) => `${i},"${i % 3 === 0 ? 'a "quoted" one'.replaceAll('"', '""') : 'b'}",${i % 7}`,
  )
  const found = await table(t, `n,text,y\n${rows.join('\r\n')}`, { label: 'y', columns: { y: 'category' } })
  t.is(found.labels.length, 30_000)
  t.true(found.labels.every((label, i) => label === i % 7))
  const last = (found.rows as number[][])[29_999]!
  t.deepEqual(last, [29_999, 0, 1])
})

const iris = fileURLToPath(new URL('../../../shared/data/small/iris.csv', import.meta.url))
if (existsSync(iris)) {
  test('a model learns iris', async (t) => {
    const [, ...lines] = readFileSync(iris, 'utf8').trim().split(/\r?\n/)
    const path = file(t, lines.join('\n'))
    const { train, test: held } = await datasets.csv(path, {
      label: 'kind',
      columns: { kind: 'category' },
      header: ['sepal length', 'sepal width', 'petal length', 'petal width', 'kind'],
      testSplit: 0.2,
    })
    t.deepEqual(
      [train.images.shape, held.images.shape, train.classNames],
      [
        [120, 4],
        [30, 4],
        ['0', '1', '2'],
      ],
    )
    const model = sequential({ inputShape: [4], layers: [layers.dense({ units: 3 })] })
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.05 }),
      loss: 'softmaxCrossEntropy',
      metrics: ['accuracy'],
    })
    await model.fit(train.images, train.labels, { epochs: 100, batchSize: 16, seed: 0, verbose: 0 })
    t.true((await model.evaluate(held.images, held.labels)).accuracy! > 0.8)
  })
} else {
  test.skip(`a model learns iris: no ${iris}`, () => {})
}
