// Reads mutated files until it has seen enough: `npm run fuzz [-- safetensors | idx | tfjs] [--count 1000000] [--seed 1]`.
// Every one must be read or refused with a FormatError; anything else ends the run and shows the bytes.
import { parseArgs } from 'node:util'
import { fuzz } from '../.test-build/helpers/fuzz.js'
import { idx } from '../.test-build/helpers/fuzz-idx.js'
import { safetensors } from '../.test-build/helpers/fuzz-safetensors.js'
import { tfjs } from '../.test-build/helpers/fuzz-tfjs.js'

const parsers = { safetensors, idx, tfjs }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
})
const [name = 'safetensors'] = positionals
const parser = parsers[name]
if (parser === undefined) throw new RangeError(`no parser ${name}. there are ${Object.keys(parsers).join(', ')}`)
const began = performance.now()
const { accepted, refused, peak } = await fuzz({
  parser,
  count: Number(values.count),
  seed: Number(values.seed),
  progress: (done) => process.stdout.write(`\r${done}`),
})
const seconds = ((performance.now() - began) / 1000).toFixed(0)
console.log(`\r${accepted + refused} files in ${seconds} s: ${accepted} read, ${refused} refused, peak ${peak} MB`)
