// The namespace `constraints`.

export { maxNorm } from './constraint.js'
