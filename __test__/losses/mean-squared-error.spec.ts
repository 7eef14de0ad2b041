import test from 'ava'
import { losses, tensor } from 'ferrograd'
import { testElementLoss } from '../helpers/loss.js'

testElementLoss({ name: 'meanSquaredError', op: losses.meanSquaredError, reference: (x, t) => (x - t) ** 2 })

test('an unknown option is named with those that there are', (t) => {
  const x = tensor([1])
  // @ts-expect-error: what JavaScript users can do
  t.throws(() => losses.meanSquaredError(x, x, { weight: x }), {
    instanceOf: TypeError,
    message: 'meanSquaredError: there is no option weight (got a Tensor). valid are weights',
  })
  // @ts-expect-error: what JavaScript users can do
  t.throws(() => losses.meanSquaredError(x, x, null), {
    instanceOf: TypeError,
    message: 'meanSquaredError: expects an options object. got null',
  })
})

test('a NaN shows in the loss', async (t) => {
  t.is(await losses.meanSquaredError(tensor([1, Number.NaN]), tensor([1, 1])).item(), Number.NaN)
})
