// Writes the small ONNX models that ONNX Runtime runs here: just enough of its protocol buffers, by hand.

/** A tensor that the model carries. */
export interface Constant {
  name: string
  shape: number[]
  values: Float32Array
}

export interface OnnxNode {
  op: string
  inputs: string[]
  output: string
  /** Lists of whole numbers, such as `pads`. */
  attributes?: Record<string, number[]>
  /** Single whole numbers, such as `axis`. */
  numbers?: Record<string, number>
}

export interface OnnxGraph {
  nodes: OnnxNode[]
  constants?: Constant[]
  inputs: Record<string, number[]>
  /** The name of the result. */
  output: string
}

function varint(value: number): number[] {
  const bytes = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
  return [...bytes, value]
}

const whole = (field: number, value: number): Buffer => Buffer.from([...varint(field * 8), ...varint(value)])
const block = (field: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
const text = (field: number, value: string): Buffer => block(field, Buffer.from(value))
const message = (field: number, ...parts: Buffer[]): Buffer => block(field, Buffer.concat(parts))

const FLOAT = 1

const valueInfo = (field: number, name: string, shape: number[] | undefined): Buffer => {
  const dimensions = shape && message(2, ...shape.map((size) => message(1, whole(1, size))))
  const type = message(2, message(1, whole(1, FLOAT), ...(dimensions ? [dimensions] : [])))
  return message(field, text(1, name), type)
}

const node = ({ op, inputs, output, attributes = {}, numbers = {} }: OnnxNode): Buffer =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, values]) =>
      message(5, text(1, name), ...values.map((value) => whole(8, value)), whole(20, 7)),
    ),
    ...Object.entries(numbers).map(([name, value]) => message(5, text(1, name), whole(3, value), whole(20, 2))),
  )

const initializer = ({ name, shape, values }: Constant): Buffer =>
  message(
    5,
    ...shape.map((size) => whole(1, size)),
    whole(2, FLOAT),
    text(8, name),
    block(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  )

/** The bytes of a model of opset 17. */
export function onnxModel({ nodes, constants = [], inputs, output }: OnnxGraph): Buffer {
  const graph = message(
    7,
    ...nodes.map(node),
    text(2, 'bench'),
    ...constants.map(initializer),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, shape)),
    valueInfo(12, output, undefined),
  )
  return Buffer.concat([whole(1, 8), graph, message(8, text(1, ''), whole(2, 17))])
}
