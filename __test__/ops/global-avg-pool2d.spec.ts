import test from 'ava'
import { globalAvgPool2d, tensor } from 'ferrograd'
import { testGlobalPooling } from '../helpers/global-pooling.js'

testGlobalPooling({
  name: 'globalAvgPool2d',
  op: globalAvgPool2d,
  forward: (pixels) => pixels.reduce((a, b) => a + b, 0) / pixels.length,
  share: (_, pixels) => 1 / pixels.length,
})

test('the mean of a large plane keeps its precision', async (t) => {
  const cells = Float32Array.from({ length: 300 * 300 }, (_, i) => 1 + (i % 7) / 8)
  const exact = cells.reduce((a, b) => a + b, 0) / cells.length
  const found = await globalAvgPool2d(tensor(cells, { shape: [1, 300, 300, 1] })).item()
  t.true(Math.abs(found - exact) < 1e-6 * exact)
})
