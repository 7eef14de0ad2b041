// Scopes: who owns the tensors that are being made.

import { typeError } from '../errors.js'
import type { Tensor } from './tensor.js'

const scopes: Tensor[][] = []

/** @internal The list that new tensors join, if a scope is open. */
export function currentScope(): Tensor[] | undefined {
  return scopes[scopes.length - 1]
}

/** @internal Objects that own tensors and can be returned from a scope. */
export interface TensorOwner {
  ownedTensors(): Iterable<Tensor>
}

/**
 * Runs `fn` and frees every tensor made inside, save those that it returns (alone, in arrays, in plain objects or
 * as the result of `backward`). Scopes nest: what an inner scope returns belongs to the outer one. `fn` must not be
 * async: work is only queued, so nothing inside needs to wait.
 *
 * @example
 * ```ts
 * import { add, memory, scope, square, tensor } from 'ferrograd'
 * const before = memory().tensors
 * const y = scope(() => add(square(tensor([3])), tensor([1])))
 * console.log(await y.data()) // Float32Array(1) [ 10 ]
 * console.log(memory().tensors - before) // 1
 * ```
 */
export function scope<T>(fn: () => T): T {
  if (typeof fn !== 'function') throw typeError('scope: expects a function')
  const made: Tensor[] = []
  scopes.push(made)
  let kept: Set<Tensor> | undefined
  try {
    const result = fn()
    if (result instanceof Promise) {
      throw typeError(
        'scope: the function is async, and what it makes after its first await would belong to nobody. await outside: const y = scope(() => …); await y.data()',
      )
    }
    kept = new Set()
    collect(result, kept, 0)
    return result
  } finally {
    scopes.pop()
    const outer = currentScope()
    for (const tensor of made) {
      if (!kept?.has(tensor)) tensor.dispose()
      else if (outer === undefined) tensor.watch()
      else outer.push(tensor)
    }
  }
}

/** @internal Runs `fn` with no scope open; what it makes belongs to the caller alone. */
export function unscoped<T>(fn: () => T): T {
  const outer = scopes.splice(0)
  try {
    return fn()
  } finally {
    scopes.push(...outer)
  }
}

function collect(value: unknown, into: Set<Tensor>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 8) return
  if ('life' in value) into.add(value as Tensor)
  else if (Array.isArray(value)) for (const item of value) collect(item, into, depth + 1)
  else if (value instanceof Map) for (const item of value.values()) collect(item, into, depth + 1)
  else if ('ownedTensors' in value) for (const item of (value as TensorOwner).ownedTensors()) into.add(item)
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, into, depth + 1)
  }
}
