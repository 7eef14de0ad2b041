// Memory stays where it is, however long training goes on.
import test from 'ava'
import { runChild } from '../helpers/child.js'

const setting = `
  const { layers, losses, optimizers } = f
  const model = f.sequential({
    inputShape: [12, 12, 3],
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.batchNorm(),
      layers.flatten(),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 10 }),
    ],
  })
  const x = f.randomNormal([320, 12, 12, 3], { seed: 1 })
  const y = f.tensor(Int32Array.from({ length: 320 }, (_, i) => i % 10))
  const marks = []
  const mark = () => {
    globalThis.gc()
    const { tensors, bytes, poolBytes } = f.memory()
    marks.push({ tensors, bytes, poolBytes, rss: process.memoryUsage.rss(), faults: process.resourceUsage().minorPageFault })
  }
  const report = () => console.log(JSON.stringify(marks))
`

interface Mark {
  tensors: number
  bytes: number
  poolBytes: number
  rss: number
  faults: number
}

function check(t: import('ava').ExecutionContext, stdout: string): void {
  const [early, late] = JSON.parse(stdout) as [Mark, Mark]
  t.deepEqual([late.tensors, late.bytes], [early.tensors, early.bytes])
  // A small upload that found its usual block still in use takes a second one.
  t.true(late.poolBytes - early.poolBytes < 16_384, `${late.poolBytes - early.poolBytes} bytes more in the pool`)
  const growth = (late.rss - early.rss) / 1e6
  const faults = (late.faults - early.faults) / 700
  t.log(`resident memory grew by ${growth.toFixed(1)} MB in 700 steps, ${faults.toFixed(2)} minor page faults a step`)
  t.true(growth < 8, `${growth} MB`)
  t.true(faults < 20, `${faults} faults a step`)
}

test('a custom loop of 1,000 steps', async (t) => {
  const { stdout, stderr, code } = await runChild(
    `${setting}
    const optimizer = optimizers.adam()
    let steps = 0
    while (steps < 1000) {
      for await (const { xs, ys } of f.batches({ images: x, labels: y }, { size: 32, shuffle: true, seed: steps })) {
        const loss = f.scope(() => {
          const loss = losses.softmaxCrossEntropy(model.forward(xs, { training: true }), ys)
          optimizer.step(f.backward(loss))
          return loss
        })
        await loss.item()
        loss.dispose()
        if (++steps === 300 || steps === 1000) mark()
      }
    }
    report()
  `,
    {},
    ['--expose-gc', '--max-semi-space-size=1'],
  )
  t.is(code, 0, stderr)
  check(t, stdout)
})

test('fit over 1,000 steps', async (t) => {
  const { stdout, stderr, code } = await runChild(
    `${setting}
    model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    await model.fit(x, y, {
      epochs: 100,
      batchSize: 32,
      verbose: 0,
      callbacks: [{ onEpochEnd: (epoch) => { if (epoch === 29 || epoch === 99) mark() } }],
    })
    report()
  `,
    {},
    ['--expose-gc', '--max-semi-space-size=1'],
  )
  t.is(code, 0, stderr)
  check(t, stdout)
})
