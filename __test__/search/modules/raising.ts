// A build whose thread dies of an error that nobody catches, when it is given 16 units.
import type { Model } from 'ferrograd'
import { build as buildNet, type NetParams } from '../../helpers/search.js'

export async function build(params: NetParams): Promise<Model> {
  if (params.units === 16) {
    setImmediate(() => {
      throw new RangeError('out of nowhere')
    })
    await new Promise(() => {})
  }
  return buildNet(params)
}
