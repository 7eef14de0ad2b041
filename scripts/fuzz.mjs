// Reads mutated safetensors files until it has seen enough: `npm run fuzz [-- --count 1000000] [--seed 1]`.
// Every one must be read or refused with a FormatError; anything else ends the run and shows the bytes.
import { parseArgs } from 'node:util'
import { fuzz } from '../.test-build/helpers/fuzz.js'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
})
const began = performance.now()
const { accepted, refused, peak } = await fuzz({
  count: Number(values.count),
  seed: Number(values.seed),
  progress: (done) => process.stdout.write(`\r${done}`),
})
const seconds = ((performance.now() - began) / 1000).toFixed(0)
console.log(`\r${accepted + refused} files in ${seconds} s: ${accepted} read, ${refused} refused, peak ${peak} MB`)
