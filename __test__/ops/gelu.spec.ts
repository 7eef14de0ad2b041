import test from 'ava'
import { gelu, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'
import { numbers, values } from '../helpers/values.js'

testUnary({
  name: 'gelu',
  op: (x) => gelu(x),
  reference: (x) => x * normal(x),
  at: [-4, -6, 6, Infinity],
})

/** The normal distribution function, by its series. */
function normal(x: number): number {
  if (x < -9 || x > 9) return x < 0 ? 0 : x > 0 ? 1 : Number.NaN
  let [term, sum] = [x, x]
  for (let n = 1; n < 400; n++) {
    term *= (x * x) / (2 * n + 1)
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

testUnary({
  name: 'gelu',
  title: 'gelu with tanh',
  op: (x) => gelu(x, { approximate: true }),
  reference: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  at: [-4, -6, 6],
})

test('gelu ends in 0 and in x', async (t) => {
  for (const approximate of [false, true]) {
    const [low, high, far] = await values(gelu(tensor([-Infinity, Infinity, -40]), { approximate }))
    t.true(low === 0 && high === Infinity && far === 0)
  }
})

test('the two forms of gelu differ by less than 0.001', async (t) => {
  const x = numbers([1000], 1, 'float32')
  const [exact, approximate] = [await values(gelu(x)), await values(gelu(x, { approximate: true }))]
  const differences = exact.map((value, i) => Math.abs(value - approximate[i]!))
  t.true(Math.max(...differences) < 1e-3)
  t.true(Math.max(...differences) > 1e-6)
})

test('gelu refuses what is no yes or no', (t) => {
  t.throws(() => gelu(tensor([1]), { approximate: 1 as unknown as boolean }), {
    instanceOf: TypeError,
    message: 'gelu: approximate must be a boolean. got 1',
  })
})
