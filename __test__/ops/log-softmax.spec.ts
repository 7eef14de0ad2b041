import test from 'ava'
import { logSoftmax, tensor } from 'ferrograd'
import { testSoftmax } from '../helpers/softmax.js'

testSoftmax({
  name: 'logSoftmax',
  op: logSoftmax,
  reference: (row) => {
    const most = Math.max(...row)
    const sum = row.reduce((total, x) => total + Math.exp(x - most), 0)
    return row.map((x) => x - most - Math.log(sum))
  },
})

test('logSoftmax keeps what softmax rounds to 0', async (t) => {
  t.deepEqual(await logSoftmax(tensor([[0, -1000, -1e30]], { dtype: 'float64' })).array(), [[0, -1000, -1e30]])
  t.deepEqual(await logSoftmax(tensor([[0, -1000]])).array(), [[0, -1000]])
})
