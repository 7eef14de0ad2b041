import test from 'ava'
import { gradients, losses, tensor } from 'ferrograd'
import { testElementLoss } from '../helpers/loss.js'
import { values } from '../helpers/values.js'

testElementLoss({ name: 'meanAbsoluteError', op: losses.meanAbsoluteError, reference: (x, t) => Math.abs(x - t) })

test('where prediction and label are equal the gradient is 0', async (t) => {
  const x = tensor([1, 2, 5, Number.NaN])
  const [dx] = gradients(() => losses.meanAbsoluteError(x, tensor([1, 3, 3, 0])), [x])
  t.deepEqual(await values(dx), [0, -0.25, 0.25, Number.NaN])
})
