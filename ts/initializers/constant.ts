// Weights that all start with one value.

import { full } from '../tensor/create.js'
import { type Initializer, initializer } from './initializer.js'
import { checkNumber, checkOptions } from './options.js'

/** All zeros: the default for biases. As a kernel it would make every unit of a layer learn the same. */
export function zeros(): Initializer {
  return initializer('zeros', {}, (shape, dtype) => full(shape, 0, { dtype }))
}

/** All ones. */
export function ones(): Initializer {
  return initializer('ones', {}, (shape, dtype) => full(shape, 1, { dtype }))
}

/**
 * All `value`.
 *
 * @example
 * ```ts
 * import { initializers, layers, sequential } from 'ferrograd'
 * const biasInitializer = initializers.constant({ value: 0.1 })
 * const model = sequential({ inputShape: [3], layers: [layers.dense({ units: 2, biasInitializer })] })
 * console.log(await model.weights[1]!.data()) // Float32Array(2) [ 0.10000000149011612, 0.10000000149011612 ]
 * ```
 */
export function constant(options: { value: number }): Initializer {
  checkOptions('initializers.constant', options, ['value'])
  const value = checkNumber('initializers.constant', 'value', options.value)
  return initializer('constant', { value }, (shape, dtype) => full(shape, value, { dtype }))
}
