// Every op, by name.

export type { Activation } from './activate.js'
export { type Conv2dOptions, conv2d } from './conv2d.js'
export { type MatmulOptions, matmul } from './matmul.js'
export { relu } from './relu.js'
export { reshape } from './reshape.js'
export type { Padding, Size, WindowOptions } from './window.js'
