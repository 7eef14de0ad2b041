import { swish } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'swish',
  op: swish,
  reference: (x) => (x === -Infinity ? 0 : x / (1 + Math.exp(-x))),
  at: [40, -40, -90, -1000, Infinity, -Infinity],
})
