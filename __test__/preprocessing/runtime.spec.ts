// Fitting runs on other threads, on any number of them with the same result.
import test from 'ava'
import { runChild } from '../helpers/child.js'

test('while a fit decomposes 900 dimensions, timers keep firing', async (t) => {
  const { stdout, stderr, code } = await runChild(`
    const x = f.randomNormal([1200, 30, 30, 1], { seed: 1 })
    await f.preprocessing.pca().fit(f.randomNormal([20, 10], { seed: 2 }))
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await f.preprocessing.zca().fit(x)
    clearInterval(timer)
    console.log(ticks)
  `)
  t.is(code, 0, stderr)
  t.log(`${stdout.trim()} ticks`)
  t.true(Number(stdout) >= 20, stdout)
})

test('1, 2 and 4 threads give the same bits', async (t) => {
  const script = `
    import { createHash } from 'node:crypto'
    const hash = createHash('sha256')
    const { pca, standardize, zca } = f.preprocessing
    const many = f.randomNormal([700, 12, 12, 2], { seed: 1 })
    const few = f.randomNormal([60, 12, 12, 2], { seed: 2 })
    for (const step of [standardize(), standardize({ per: 'channel' }), pca(), zca()]) {
      for (const x of [many, few]) {
        await step.fit(x)
        for (const statistic of Object.values(step.statistics())) hash.update(Buffer.from((await statistic.data()).buffer))
        hash.update(Buffer.from((await step.transform(x).data()).buffer))
      }
    }
    console.log(hash.digest('hex'))
  `
  const runs = await Promise.all(['1', '2', '4'].map((threads) => runChild(script, { FERROGRAD_THREADS: threads })))
  for (const { stdout, stderr, code } of runs) {
    t.is(code, 0, stderr)
    t.regex(stdout, /^[0-9a-f]{64}\n$/)
    t.is(stdout, runs[0]!.stdout)
  }
})

test('more memory than the limit is an error, and the process lives', async (t) => {
  const { stdout, stderr, code } = await runChild(
    `
    const x = f.randomNormal([600, 500], { seed: 1 })
    const step = f.preprocessing.pca()
    await step.fit(x).catch((error) => console.log(error.name, error.code, step.fitted))
    console.log(await f.mean(x).data().then((data) => data.length))
  `,
    { FERROGRAD_MEMORY_LIMIT: String(8 * 1024 * 1024) },
  )
  t.is(code, 0, stderr)
  t.is(stdout, 'RangeError ERR_OUT_OF_RANGE false\n1\n')
})
