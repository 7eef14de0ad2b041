// A training that is killed goes on to the same bits: `npm run crash-test` kills it a hundred times.
import test from 'ava'
import { crashTest } from '../helpers/crash-test.js'

test('killed, it goes on from a file that is whole, to the same bits, and leaves no litter', async (t) => {
  const { kills, broken, litter, sameBits } = await crashTest({ kills: 3, seed: 2 })
  t.deepEqual({ broken, litter, sameBits }, { broken: [], litter: [], sameBits: true })
  t.true(kills > 0)
})
