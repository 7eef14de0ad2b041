// Names of layers within a model.

import { rangeError, show, typeError } from '../errors.js'
import type { Module, Output } from './module.js'

/** @internal A name that was given, checked. Slashes separate names in the paths of weights. */
export function checkName(kind: string, name: unknown): string | undefined {
  if (name === undefined) return undefined
  if (typeof name !== 'string') throw typeError(`${kind}: name must be a string. got ${show(name)}`)
  if (name === '' || name.includes('/')) {
    throw rangeError(`${kind}: name must not be empty or contain a slash. got ${show(name)}`)
  }
  return name
}

/** @internal Gives each module without a name its kind and the first free number; throws when two are called alike. */
export function assignNames(label: string, modules: readonly Module<Output>[]): void {
  const taken = new Set<string>()
  for (const module of modules) {
    if (!module.$isNamed) continue
    if (taken.has(module.name)) {
      throw rangeError(`${label}: two layers are called "${module.name}". give one of them another name`)
    }
    taken.add(module.name)
  }
  const next = new Map<string, number>()
  for (const module of modules) {
    if (module.$isNamed) continue
    let n = next.get(module.kind) ?? 1
    while (taken.has(`${module.kind}_${n}`)) n++
    next.set(module.kind, n + 1)
    module.$assignName(`${module.kind}_${n}`)
  }
}
