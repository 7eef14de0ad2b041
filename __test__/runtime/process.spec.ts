// What must never happen to a process that uses ferrograd.
import test from 'ava'
import { runChild } from '../helpers/child.js'

/** Queues a second or so of work without waiting for it. */
const busy = `
  const a = f.randomNormal([768, 768], { seed: 1 })
  const work = () => f.scope(() => { for (let i = 0; i < 50; i++) f.matmul(a, a) })
  work()
`

test('importing ends by itself', async (t) => {
  t.like(await runChild(''), { code: 0, signal: null, stderr: '' })
})

test('an idle stream does not keep the process, a pending read does', async (t) => {
  t.like(await runChild(busy), { code: 0, signal: null, stderr: '' })
  const { stdout, code } = await runChild(`${busy} f.relu(a).data().then((data) => console.log(data.length))`)
  t.is(stdout, `${768 * 768}\n`)
  t.is(code, 0)
})

test('process.exit in mid-step ends cleanly', async (t) => {
  t.like(await runChild(`${busy} process.exit(3)`), { code: 3, signal: null, stderr: '' })
  t.like(await runChild(`${busy} f.relu(a).data(); setTimeout(() => process.exit(4), 5)`), {
    code: 4,
    signal: null,
    stderr: '',
  })
})

test('an uncaught throw in mid-step ends with its message', async (t) => {
  const result = await runChild(`${busy} f.relu(a).data(); throw new Error('mine')`)
  t.like(result, { code: 1, signal: null })
  t.regex(result.stderr, /Error: mine/)
})

test('a panic in native work becomes an error that names the op, and the process lives', async (t) => {
  const result = await runChild(
    `
    import { createRequire } from 'node:module'
    const native = createRequire(${JSON.stringify(new URL('../../dist/', import.meta.url).href)})('../native/binding.cjs')
    const x = f.tensor([1, 2])
    native.panicForTest('conv2d')
    const y = f.relu(x)
    for (const read of [() => y.data(), () => f.tensor([1]).item()]) {
      await read().catch((error) => console.log(error.name, error.code, error.message))
    }
    console.log('alive')
  `,
    { FERROGRAD_THREADS: '2', RUST_BACKTRACE: '0' },
  )
  const line = 'StreamError ERR_STREAM conv2d failed: a panic for a test, in tile 40'
  t.is(result.stdout, `${line}\n${line}\nalive\n`)
  t.is(result.code, 0)
})

test('a loop that never awaits stays under its byte limit', async (t) => {
  const { stdout, stderr, code } = await runChild(
    `
    const batch = new Float32Array(1 << 20)
    const w = f.variable(f.ones([1024]))
    for (let i = 0; i < 2000; i++) {
      f.scope(() => f.backward(f.sum(f.mul(f.tensor(batch, { shape: [1024, 1024] }), w))))
    }
    const used = f.memory()
    console.log(used.bytes + used.poolBytes < 700e6, process.resourceUsage().maxRSS < 1.2e6)
    console.log(await f.sum(w).item())
    try {
      for (let i = 0; ; i++) f.zeros([1 << 20])
    } catch (error) {
      console.log(error.name, error.code)
    }
  `,
    { FERROGRAD_MEMORY_LIMIT: '700000000' },
  )
  t.is(stdout, 'true true\n1024\nRangeError ERR_OUT_OF_RANGE\n', stderr)
  t.is(code, 0)
})

test('a refused allocation leaves everything usable', async (t) => {
  const { stdout, stderr, code } = await runChild(
    `
    const keep = []
    try {
      for (;;) keep.push(f.zeros([1 << 24]))
    } catch (error) {
      console.log(error.name, keep.length)
    }
    keep.pop().dispose()
    console.log(await f.relu(f.tensor([1])).item())
  `,
    { FERROGRAD_MEMORY_LIMIT: String(2 ** 28) },
  )
  t.is(stdout, 'RangeError 4\n1\n', stderr)
  t.is(code, 0)
})

test('environment variables that mean nothing are refused', async (t) => {
  for (const [env, message] of [
    [{ FERROGRAD_THREADS: 'many' }, /FERROGRAD_THREADS: "many" is not a number of threads from 1 to 1024/],
    [{ FERROGRAD_THREADS: '0' }, /FERROGRAD_THREADS: "0" is not a number of threads from 1 to 1024/],
    [{ FERROGRAD_SIMD: 'mmx' }, /FERROGRAD_SIMD: instruction set "mmx" is not available here; this machine has scalar/],
    [{ FERROGRAD_AMX: 'on' }, /FERROGRAD_AMX: there is no "on"; there are auto, always, off, emulate/],
    [{ FERROGRAD_MEMORY_LIMIT: '1GB' }, /FERROGRAD_MEMORY_LIMIT: "1GB" is not a number of bytes/],
  ] as const) {
    const { stdout } = await runChild('try { f.tensor([1]) } catch (error) { console.log(error.message) }', env)
    t.regex(stdout, message)
  }
})
