import { square } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'square',
  op: square,
  reference: (x) => x * x,
  at: [1e20, 1e-30, Infinity],
})
