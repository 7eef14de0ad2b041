// Files with something wrong in them: `npm run fuzz` reads a million.
import test from 'ava'
import { memory } from 'ferrograd'
import { fuzz } from '../helpers/fuzz.js'
import { safetensors } from '../helpers/fuzz-safetensors.js'

test('a mutated file is read, or refused with a FormatError', async (t) => {
  const before = memory().tensors
  const { accepted, refused } = await fuzz({ parser: safetensors, count: 20_000, seed: 7 })
  // Enough of both, or the mutations show nothing.
  t.true(accepted > 500 && refused > 5000, `${accepted} read, ${refused} refused`)
  t.is(memory().tensors, before)
})
