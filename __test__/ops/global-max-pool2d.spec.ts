import test from 'ava'
import { globalMaxPool2d, gradients, sum, tensor } from 'ferrograd'
import { testGlobalPooling } from '../helpers/global-pooling.js'
import { values } from '../helpers/values.js'

testGlobalPooling({
  name: 'globalMaxPool2d',
  op: globalMaxPool2d,
  forward: (pixels) => Math.max(...pixels),
  share: (pixel, pixels) => (pixel === Math.max(...pixels) ? 1 : 0),
})

test('the first of the largest gets the whole gradient', async (t) => {
  const x = tensor([1, 3, 3, 2], { shape: [1, 2, 2, 1] })
  const [dx] = gradients(() => sum(globalMaxPool2d(x)), [x])
  t.deepEqual(await values(dx), [0, 1, 0, 0])
})
