// Every optimizer under the name of its kind.

import { adadelta } from './adadelta.js'
import { adagrad } from './adagrad.js'
import { adam } from './adam.js'
import { adamW } from './adam-w.js'
import { adamax } from './adamax.js'
import { lion } from './lion.js'
import { nadam } from './nadam.js'
import { rmsprop } from './rmsprop.js'
import { sgd } from './sgd.js'

/** The functions that make optimizers, each under the kind of what it makes. */
export const byName = { sgd, adagrad, adadelta, rmsprop, adam, adamW, adamax, nadam, lion }

export type OptimizerName = keyof typeof byName
