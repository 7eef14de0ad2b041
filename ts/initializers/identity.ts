// The weight that changes nothing.

import { rangeError } from '../errors.js'
import { tensor } from '../tensor/create.js'
import { showShape } from '../tensor/shape.js'
import { type Initializer, initializer } from './initializer.js'
import { checkNumber, checkOptions } from './options.js'

/** Ones on the diagonal of a matrix, zeros elsewhere, times `gain` (default 1). Only for weights with two axes. */
export function identity(options: { gain?: number } = {}): Initializer {
  const op = 'initializers.identity'
  checkOptions(op, options, ['gain'])
  const { gain = 1 } = options
  checkNumber(op, 'gain', gain)
  return initializer('identity', { gain }, (shape, dtype) => {
    if (shape.length !== 2) {
      throw rangeError(`${op}: only a matrix has an identity. got shape ${showShape(shape)}`)
    }
    const [rows, columns] = shape as readonly [number, number]
    const values = new Float64Array(rows * columns)
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = gain
    return tensor(values, { shape, dtype })
  })
}
