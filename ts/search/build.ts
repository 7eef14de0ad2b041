// What users give to have models built.

import { show, typeError } from '../errors.js'
import { Model } from '../models/model.js'
import type { Optimizer } from '../optimizers/optimizer.js'
import type { Params } from './space.js'

/** Returns a new, compiled model for these hyperparameters. */
export type Build<P = Params> = (params: P) => Model | Promise<Model>

/** @internal The function that a module exports as `build`. */
export async function importBuild(op: string, url: URL): Promise<Build> {
  const module: { readonly build?: unknown } = await import(url.href)
  if (typeof module.build !== 'function') {
    throw typeError(
      `${op}: the module ${url.href} must export a function build(params). its build is ${show(module.build)}`,
    )
  }
  return module.build as Build
}

/** @internal Builds models and sees to it that no trial gets what another one has used. */
export class Builder {
  private readonly used = new WeakSet<Model | Optimizer>()

  constructor(
    private readonly op: string,
    private readonly build: Build,
  ) {}

  /** Throws when `build` breaks its promise. The model is freed then, whosever it was: no other trial may use it. */
  async model(params: Params): Promise<{ model: Model; optimizer: Optimizer }> {
    const { op } = this
    const model: unknown = await this.build(params)
    if (!(model instanceof Model)) {
      throw typeError(`${op}: build must return a compiled model. got ${show(model)}`)
    }
    try {
      const optimizer = optimizerOf(op, model)
      this.use('a model', model)
      this.use('an optimizer', optimizer)
      return { model: model as Model, optimizer }
    } catch (error) {
      model.dispose()
      throw error
    }
  }

  private use(what: string, part: Model | Optimizer): void {
    if (this.used.has(part)) {
      const name = what.replace(/^an? /, '')
      throw typeError(
        `${this.op}: build returned ${what} that an earlier trial has used. make a new ${name} in build each time, so that no trial depends on another`,
      )
    }
    this.used.add(part)
  }
}

function optimizerOf(op: string, model: Model): Optimizer {
  try {
    return model.optimizer
  } catch (error) {
    throw Object.assign(
      typeError(
        `${op}: build must return a compiled model. model "${model.name}" is not compiled: call model.compile({ optimizer, loss, metrics }) in build`,
      ),
      { cause: error },
    )
  }
}
