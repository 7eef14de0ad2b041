// A model into a file.

import { show } from '../errors.js'
import { checkBoolean, checkOptions } from '../initializers/options.js'
import { Snapshot } from '../io/encode.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { replaceFile } from '../io/replace-file.js'
import type { Output } from '../layers/module.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Model } from './model.js'
import { type ModelFile, STATISTICS, VERSION } from './model-file.js'
import { describeTraining } from './training-state.js'

export interface SaveOptions {
  /**
   * Whether training can go on from the file: with optimizer, loss, metrics, random numbers and position. Without it the
   * file is smaller (by two thirds with Adam) and holds a model that is not compiled. Default true.
   */
  includeOptimizer?: boolean
}

/** Writes `model` as it is now. What the method `save` does. */
export async function saveModel(model: Model<Output>, path: FilePath, options: SaveOptions): Promise<void> {
  const absolute = checkPath(`${model.$label}: save`, path)
  checkOptions(`${model.$label}: save`, options, ['includeOptimizer'])
  const { includeOptimizer = true } = options
  checkBoolean(`${model.$label}: save`, 'includeOptimizer', includeOptimizer)
  const op = `save ${show(String(path))}`
  const snapshot = snapshotOf(op, model, includeOptimizer)
  try {
    await replaceFile(op, absolute, () => snapshot.bytes(), { verify: true })
  } finally {
    snapshot.dispose()
  }
}

/** Everything at one moment: nothing in here waits. */
function snapshotOf(op: string, model: Model<Output>, includeOptimizer: boolean): Snapshot {
  const description = model.$describe()
  const training = includeOptimizer ? describeTraining(model) : undefined
  const weights = model.$namedWeights()
  const { preprocessing } = model
  const statistics = Object.entries(preprocessing?.statistics() ?? {}).map(
    ([name, tensor]) => [`${STATISTICS}${name}`, tensor] as const,
  )
  const drawn: Record<string, number> = {}
  for (const [path, { $drawn }] of model.$namedModules()) if ($drawn !== undefined) drawn[path] = $drawn
  const file: ModelFile = {
    version: VERSION,
    model: description,
    learning: [...weights]
      .filter(([, { trainable }]) => trainable)
      .sort(([, a], [, b]) => a.life.node!.id - b.life.node!.id)
      .map(([path]) => path),
    drawn,
    ...(preprocessing !== undefined && {
      preprocessing: { kind: preprocessing.kind, config: preprocessing.config() },
    }),
    ...(training !== undefined && { training: training.description }),
  }
  const tensors: (readonly [string, Tensor])[] = [...weights, ...statistics, ...(training?.tensors ?? [])]
  return new Snapshot(op, tensors, {
    metadata: { format: 'ferrograd', ferrograd: JSON.stringify(file) },
    changing: true,
  })
}
