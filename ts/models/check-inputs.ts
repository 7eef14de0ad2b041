// Inputs of a model, against what it declares.

import { DTypeError, ShapeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { fitsShape, type Shape, showFree, showLayout } from '../layers/shape.js'
import { isFloat } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Graph } from './graph.js'

/** @internal Throws unless `inputs` fit the graph, naming the layer that they would have reached first. */
export function checkGraphInputs(label: string, graph: Graph, dtype: FloatDType, inputs: readonly Tensor[]): void {
  if (inputs.length !== graph.inputs.length) {
    throw new ShapeError(`${label}: takes ${graph.inputs.length} inputs. got ${inputs.length}`)
  }
  inputs.forEach((x, i) => {
    const { shape: declared, name } = graph.inputs[i]!
    const which = name === undefined ? (inputs.length === 1 ? 'the input' : `input ${i}`) : `input "${name}"`
    if (!fitsShape(x.shape, declared)) {
      const first = graph.steps.find((step) => step.inputs.includes(i))?.module.$label
      throw new ShapeError(
        `${label}: ${which} does not fit its first layer, ${first}. got ${showFree(x.shape)}, expected ${showLayout(declared)}${wayToFit(x.shape, declared)}`,
      )
    }
    if (isFloat(x.dtype) && x.dtype !== dtype) {
      throw new DTypeError(
        `${label}: ${which} has dtype ${x.dtype}, but the weights are ${dtype}. cast it: cast(x, { dtype: '${dtype}' })`,
      )
    }
  })
}

/** What might turn an input of shape `actual` into the declared one. */
function wayToFit(actual: readonly number[], declared: Shape): string {
  const example = declared.slice(1)
  if (example.includes(null)) return ''
  if (fitsShape(actual, example)) return `. make it a batch of one: reshape(x, [1, ${example.join(', ')}])`
  const size = (example as number[]).reduce((product, n) => product * n, 1)
  const perExample = actual.slice(1).reduce((product, n) => product * n, 1)
  return actual.length > 1 && perExample === size && size > 0
    ? `. reshape(x, [-1, ${example.join(', ')}]) has the same numbers`
    : ''
}
