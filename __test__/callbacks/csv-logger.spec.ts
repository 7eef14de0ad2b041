import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { parse } from 'csv-parse/sync'
import { type callbacks as all, callbacks, type Logs, layers, sequential } from 'ferrograd'
import { temporaryFolder } from '../helpers/folder.js'

type Options = Parameters<typeof all.csvLogger>[0]

const x = [
  [1, 0],
  [0, 1],
  [1, 1],
  [0, 0],
]
const y = [0, 1, 1, 0]

function classifier() {
  const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })] })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}

/** Calls the hooks as a training with these figures would. */
async function log(options: Options, figures: Record<string, number>[], initialEpoch = 0) {
  const logger = callbacks.csvLogger(options)
  const training = {} as Parameters<NonNullable<typeof logger.onTrainBegin>>[1]
  await logger.onTrainBegin!({}, training)
  try {
    for (const [i, logs] of figures.entries()) await logger.onEpochEnd!(initialEpoch + i, logs as Logs, training)
  } finally {
    await logger.onTrainEnd!({}, training)
  }
}

test('a line for each epoch, with the figures of the history to the last bit', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  const { epoch, history } = await classifier().fit(x, y, {
    epochs: 3,
    validationSplit: 0.25,
    verbose: 0,
    callbacks: callbacks.csvLogger({ path }),
  })
  const text = readFileSync(path, 'utf8')
  t.is(text.split('\n')[0], 'epoch,loss,accuracy,val_loss,val_accuracy')
  t.true(text.endsWith('\n'))
  const rows: Record<string, string>[] = parse(text, { columns: true })
  t.deepEqual(
    rows.map((row) => Number(row.epoch)),
    epoch,
  )
  for (const [name, values] of Object.entries(history)) {
    t.deepEqual(
      rows.map((row) => Number(row[name])),
      values!,
    )
  }
})

test('a line is in the file before the next epoch begins', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  const lines: number[] = []
  const reader = { onEpochBegin: () => void lines.push(readFileSync(path, 'utf8').split('\n').length - 1) }
  await classifier().fit(x, y, { epochs: 3, verbose: 0, callbacks: [callbacks.csvLogger({ path }), reader] })
  t.deepEqual(lines, [0, 2, 3])
})

test('a file is replaced when the first epoch is over, and not before', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  writeFileSync(path, 'mine')
  const failing = {
    onBatchEnd() {
      throw new Error('stop')
    },
  }
  await t.throwsAsync(classifier().fit(x, y, { verbose: 0, callbacks: [callbacks.csvLogger({ path }), failing] }), {
    message: 'stop',
  })
  t.is(readFileSync(path, 'utf8'), 'mine')
  await log({ path }, [{ loss: 1 }])
  t.is(readFileSync(path, 'utf8'), 'epoch,loss\n0,1\n')
  await log({ path }, [{ loss: 2 }])
  t.is(readFileSync(path, 'utf8'), 'epoch,loss\n0,2\n')
})

test('append goes on below, in the columns of the file', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  const options = { path: pathToFileURL(path), append: true }
  await log(options, [{ loss: 1, accuracy: 0.5 }])
  await log(options, [{ accuracy: 0.75, loss: 2 }], 1)
  t.is(readFileSync(path, 'utf8'), 'epoch,loss,accuracy\n0,1,0.5\n1,2,0.75\n')
  // A crash has cut off a line.
  writeFileSync(path, 'epoch,loss\n0,1\n1,0.')
  await log(options, [{ loss: 3 }], 1)
  t.is(readFileSync(path, 'utf8'), 'epoch,loss\n0,1\n1,0.\n1,3\n')
})

test('what is missing leaves its place empty; numbers that are none are named', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  await log({ path }, [{ loss: Number.NaN, a: 1e-30 }, { loss: -Infinity }, { a: -0.1, loss: Infinity }])
  t.is(readFileSync(path, 'utf8'), 'epoch,loss,a\n0,NaN,1e-30\n1,-Infinity,\n2,Infinity,-0.1\n')
})

test('names are quoted where they must be, and read back', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  const names = ['loss', 'a;b', 'a,b', 'say "a"', 'two\nlines', 'ünï']
  const figures = Object.fromEntries(names.map((name, i) => [name, i]))
  for (const separator of [',', ';', '\t', '|', ' ']) {
    await log({ path, separator }, [figures])
    await log({ path, separator, append: true }, [figures], 1)
    const [header, ...rows] = parse(readFileSync(path, 'utf8'), { delimiter: separator })
    t.deepEqual(header, ['epoch', ...names])
    t.deepEqual(rows, [
      ['0', '0', '1', '2', '3', '4', '5'],
      ['1', '0', '1', '2', '3', '4', '5'],
    ])
  }
})

test('a figure without a column is an error, and the lines before it stay', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  await t.throwsAsync(log({ path }, [{ loss: 1 }, { loss: 2, val_loss: 3 }]), {
    instanceOf: TypeError,
    message: `csvLogger ${JSON.stringify(path)}: there is no column for "val_loss". the columns are epoch and loss, and a file keeps those of its first line. log to another file`,
  })
  t.is(readFileSync(path, 'utf8'), 'epoch,loss\n0,1\n')
})

test('a file of something else is not gone on with', async (t) => {
  const path = join(temporaryFolder(t), 'training.csv')
  const quoted = JSON.stringify(path)
  const cases = [
    ['step,loss\n1,2\n', `its first column is "step", not "epoch"`],
    ['epoch;loss\n0;1\n', `its first column is "epoch;loss", not "epoch"`],
    ['\n', `its first column is "", not "epoch"`],
  ] as const
  for (const [text, why] of cases) {
    writeFileSync(path, text)
    await t.throwsAsync(log({ path, append: true }, [{ loss: 1 }]), {
      message: `csvLogger ${quoted}: cannot go on in this file: ${why}. give the separator that it was written with, or another path`,
      code: 'ERR_FORMAT',
    })
    t.is(readFileSync(path, 'utf8'), text)
  }
  writeFileSync(path, '"epoch')
  await t.throwsAsync(log({ path, append: true }, [{ loss: 1 }]), {
    message: /^csvLogger .*: cannot go on in this file: Quote Not Closed/,
    code: 'ERR_FORMAT',
  })
})

test('a path that cannot be written is an error before the first epoch', async (t) => {
  const folder = temporaryFolder(t)
  const missing = join(folder, 'missing', 'training.csv')
  const began: number[] = []
  const watcher = { onEpochBegin: (epoch: number) => void began.push(epoch) }
  await t.throwsAsync(
    classifier().fit(x, y, { verbose: 0, callbacks: [callbacks.csvLogger({ path: missing }), watcher] }),
    {
      message: `csvLogger ${JSON.stringify(missing)}: the file cannot be written. there is no such file or folder (ENOENT)`,
      code: 'ENOENT',
    },
  )
  t.deepEqual(began, [])
  mkdirSync(join(folder, 'folder'))
  await t.throwsAsync(log({ path: join(folder, 'folder') }, []), {
    message: `csvLogger ${JSON.stringify(join(folder, 'folder'))}: the file cannot be written. it is a folder (EISDIR)`,
    code: 'EISDIR',
  })
  const locked = join(folder, 'locked.csv')
  writeFileSync(locked, 'mine')
  chmodSync(locked, 0o444)
  if (process.getuid?.() !== 0) {
    await t.throwsAsync(log({ path: locked }, []), {
      message: `csvLogger ${JSON.stringify(locked)}: the file cannot be written. the system does not permit it (EACCES)`,
      code: 'EACCES',
    })
  }
  if (existsSync('/dev/full')) {
    await t.throwsAsync(log({ path: '/dev/full' }, [{ loss: 1 }]), {
      message: 'csvLogger "/dev/full": the file cannot be written. the disk is full (ENOSPC)',
      code: 'ENOSPC',
    })
  }
})

test('options are checked', (t) => {
  const cases: [unknown, string][] = [
    [{}, 'csvLogger: path must be the name of a file, or a file: URL. got undefined'],
    [{ path: 'a', separator: 1 }, 'csvLogger: separator must be a string. got 1'],
    ...['', ',,', '"', '\n', '.', '1', 'e', '-', '+', 'é'].map((separator): [unknown, string] => [
      { path: 'a', separator },
      `csvLogger: separator must be one character that is not in numbers and no letter, quote or line break. got ${JSON.stringify(separator)}`,
    ]),
    [{ path: 'a', append: 1 }, 'csvLogger: append must be true or false. got 1'],
    [
      { path: 'a', seperator: ',' },
      'csvLogger: there is no option seperator (got ","). valid are path, append and separator',
    ],
    [undefined, 'csvLogger: expects an options object. got undefined'],
  ]
  for (const [options, message] of cases) t.throws(() => callbacks.csvLogger(options as Options), { message })
})
