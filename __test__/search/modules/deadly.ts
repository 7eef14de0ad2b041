// A build that ends its thread when it is given 16 units.
import type { Model } from 'ferrograd'
import { build as buildNet, type NetParams } from '../../helpers/search.js'

export function build(params: NetParams): Model {
  if (params.units === 16) process.exit(3)
  return buildNet(params)
}
