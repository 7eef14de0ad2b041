// The native addon, loaded once per environment.

import { createRequire } from 'node:module'
import type * as Binding from '../../native/binding.cjs'

const require = createRequire(import.meta.url)

/** @internal */
export const native = require('../../native/binding.cjs') as typeof Binding

/** @internal */
export type StepBuffers = Binding.StepBuffers
