// Every op, by name.

export { relu } from './relu.js'
export { reshape } from './reshape.js'
