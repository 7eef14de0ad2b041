// What fit prints.
import test from 'ava'
import { callbacks } from 'ferrograd'
import { fit } from '../../dist/training/fit.js'
import { counting, linear } from '../helpers/linear.js'

const { x, y } = counting(4)
const untimed = (lines: string[]) => lines.map((line) => line.replace(/ \((\d+ ms|\d+\.\d s)\)$/, ' (…)'))

async function printed(options: object): Promise<string[]> {
  const { model, compiled } = linear({ learningRate: 0, metrics: ['meanAbsoluteError'] })
  const lines: string[] = []
  await fit(model, compiled, x, y, { epochs: 2, print: (line) => lines.push(line), ...options })
  return untimed(lines)
}

test('one line for each epoch, or none', async (t) => {
  const lines = [
    'epoch 1/2 loss 3.5000, meanAbsoluteError 1.5000 (…)',
    'epoch 2/2 loss 3.5000, meanAbsoluteError 1.5000 (…)',
  ]
  t.deepEqual(await printed({ verbose: 2 }), lines)
  t.deepEqual(await printed({ verbose: 1 }), lines)
  t.deepEqual(await printed({}), lines)
  t.deepEqual(await printed({ verbose: 0 }), [])
})

test('validation is part of the line', async (t) => {
  t.deepEqual(await printed({ epochs: 1, validationData: [[[1, 1]], [1e-3]] }), [
    'epoch 1/1 loss 3.5000, meanAbsoluteError 1.5000, val_loss 1.000e-6, val_meanAbsoluteError 0.0010 (…)',
  ])
})

test('console.log is where it goes otherwise', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const lines: string[] = []
  const { log } = console
  console.log = (line: string) => lines.push(line)
  try {
    await fit(model, compiled, x, y, { verbose: 2 })
  } finally {
    console.log = log
  }
  t.deepEqual(untimed(lines), ['epoch 1/1 loss 3.5000 (…)'])
})

/** A terminal that remembers. */
function terminal(isTTY: boolean) {
  let text = ''
  return {
    isTTY,
    columns: 120,
    write(chunk: string) {
      text += chunk
      return true
    },
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
    on() {},
    once() {},
    emit() {},
    end() {},
    get text() {
      return text
    },
  }
}

test('a bar on a terminal', async (t) => {
  const { model, compiled } = linear({ learningRate: 0, metrics: ['meanAbsoluteError'] })
  const stream = terminal(true)
  const lines: string[] = []
  await fit(model, compiled, x, y, {
    epochs: 2,
    batchSize: 1,
    shuffle: false,
    print: (line) => lines.push(line),
    callbacks: callbacks.progressBar({ stream: stream as never }),
  })
  t.regex(stream.text, /epoch 1\/2 \[[=.]+\] [0-4]\/4/)
  t.regex(stream.text, /epoch 2\/2 \[[=.]+\] [0-4]\/4/)
  t.regex(stream.text, /epoch 1\/2 loss 3\.5000, meanAbsoluteError 1\.5000 \(\d+ ms\)\n/)
  t.regex(stream.text, /epoch 2\/2 loss 3\.5000, meanAbsoluteError 1\.5000 \(\d+ ms\)\n/)
  // Nothing is said twice.
  t.deepEqual(lines, [])
})

test('a bar for batches whose number is not known', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const stream = terminal(true)
  const list = {
    *[Symbol.iterator]() {
      for (let i = 0; i < 3; i++) yield { xs: x, ys: y }
    },
  }
  await fit(model, compiled, list, { epochs: 2, callbacks: callbacks.progressBar({ stream: stream as never }) })
  t.regex(stream.text, /epoch 1\/2 batch [0-3]/)
  t.regex(stream.text, /epoch 2\/2 \[[=.]+\] [0-3]\/3/)
})

test('the bar is taken away when training fails', async (t) => {
  const { model, compiled } = linear()
  const stream = terminal(true)
  const broken = {
    onEpochEnd() {
      throw new Error('mine')
    },
  }
  await t.throwsAsync(
    fit(model, compiled, x, y, { callbacks: [broken, callbacks.progressBar({ stream: stream as never })] }),
    { message: 'mine' },
  )
  const length = stream.text.length
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.is(stream.text.length, length)
})

test('no terminal, no bar', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const stream = terminal(false)
  const lines: string[] = []
  const options = {
    print: (line: string) => lines.push(line),
    callbacks: callbacks.progressBar({ stream: stream as never }),
  }
  await fit(model, compiled, x, y, options)
  t.is(stream.text, '')
  t.deepEqual(untimed(lines), ['epoch 1/1 loss 3.5000 (…)'])
  t.throws(() => callbacks.progressBar({ stream: 3 as never }), {
    message: 'progressBar: stream must be a writable stream. got 3',
  })
})
