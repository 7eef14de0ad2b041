// Every op, by name.

export type { Activation } from './activate.js'
export { type MatmulOptions, matmul } from './matmul.js'
export { relu } from './relu.js'
export { reshape } from './reshape.js'
