// The sizes of convolutional layers: the questions of CS231n's lecture on convolutional networks, answered.
import { type ConvOutputOptions, convOutput } from 'ferrograd'

function ask(question: string, options: ConvOutputOptions): void {
  const { shape, parameters, flops } = convOutput(options)
  console.log(question)
  console.log(`  ${shape.join(' x ')}, ${count(parameters)} parameters, ${count(flops)} FLOPs`)
}

const count = (n: number) => n.toLocaleString('en')

ask('32x32x3 image, one 5x5 filter', { input: [32, 32, 3], filters: 1, kernel: 5 })
ask('… six 5x5 filters: six maps, stacked up', { input: [32, 32, 3], filters: 6, kernel: 5 })
ask('… and ten 5x5 filters on those', { input: [28, 28, 6], filters: 10, kernel: 5 })
ask('32x32x3 image, ten 5x5 filters, stride 1, pad 2', { input: [32, 32, 3], filters: 10, kernel: 5, padding: 2 })
ask('56x56x64 volume, 32 filters of 1x1', { input: [56, 56, 64], filters: 32, kernel: 1 })
ask('227x227x3 image, 96 11x11 filters at stride 4: the first layer of AlexNet', {
  input: [227, 227, 3],
  filters: 96,
  kernel: 11,
  stride: 4,
})

console.log('\n7x7 input, 3x3 filter: (7 - 3) / stride + 1')
for (const stride of [1, 2, 3, 4]) {
  try {
    const [height, width] = convOutput({ input: [7, 7, 1], filters: 1, kernel: 3, stride, strict: true }).shape
    console.log(`  stride ${stride}: ${height} x ${width}`)
  } catch (error) {
    console.log(`  stride ${stride}: ${(error as Error).message}`)
  }
}

console.log('\nwhat the usual settings do to 64 x 64 (F filter, S stride, P padding)')
const usual = [
  { kernel: 3, stride: 1, padding: 1 },
  { kernel: 5, stride: 1, padding: 2 },
  { kernel: 5, stride: 2, padding: [[2, 1], [2, 1]] }, // biome-ignore format: whatever fits
  { kernel: 3, stride: 2, padding: 0 },
  { kernel: 1, stride: 1, padding: 0 },
] as const
for (const { kernel, stride, padding } of usual) {
  const [height, width] = convOutput({ input: [64, 64, 3], filters: 32, kernel, stride, padding }).shape
  console.log(`  F ${kernel}, S ${stride}, P ${JSON.stringify(padding)}: ${height} x ${width}`)
}

console.log('\na filter larger than its input')
try {
  convOutput({ input: [4, 4, 3], filters: 1, kernel: 7 })
} catch (error) {
  console.log(`  ${(error as Error).message}`)
}
