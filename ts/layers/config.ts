// What a file keeps of a layer.

import { typeError } from '../errors.js'

/** Options as plain data: what JSON can hold. */
export type LayerConfig = Readonly<Record<string, unknown>>

/** @internal A layer of a file: its kind and its options. */
export interface LayerDescription {
  readonly kind: string
  readonly config: LayerConfig
  /** Whether its class is the user's, which only the user can make. */
  readonly own?: boolean
}

/**
 * @internal Options as plain data. An initializer of the user's own is left out: a loaded layer does not need it. A
 * regularizer or constraint of the user's own is an error, because training would go on without it.
 */
export function plainConfig(label: string, options: object): Record<string, unknown> {
  const config: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || typeof value === 'function') continue
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      config[key] = value
    } else if ('kind' in value && typeof value.kind === 'string') {
      config[key] = plainConfig(label, value)
    } else if (!('initialize' in value)) {
      throw typeError(
        `${label}: ${key} is an object of your own, which a file cannot hold. give it a kind, or leave it out`,
      )
    }
  }
  return config
}
