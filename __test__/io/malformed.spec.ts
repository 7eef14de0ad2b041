// Safetensors files that are broken.
import { loadTensors, memory } from 'ferrograd'
import { testMalformed } from '../helpers/malformed.js'

testMalformed('safetensors', 33, async (t, file) => {
  const before = memory().tensors
  try {
    for (const tensor of Object.values(await loadTensors(file))) {
      if (tensor.size > 0) await tensor.data()
      tensor.dispose()
    }
  } finally {
    t.is(memory().tensors, before)
  }
})
