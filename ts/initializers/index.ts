// The namespace `initializers`.

export { constant, ones, zeros } from './constant.js'
export { identity } from './identity.js'
export { orthogonal } from './orthogonal.js'
export { randomNormal, randomUniform, truncatedNormal } from './random.js'
export {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  varianceScaling,
  xavier,
} from './variance-scaling.js'
