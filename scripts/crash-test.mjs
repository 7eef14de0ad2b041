// Kills a training that saves after every batch, again and again, and lets it go on: `npm run crash-test [-- --kills 100]`.
import { parseArgs } from 'node:util'
import { crashTest } from '../.test-build/helpers/crash-test.js'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
})
const report = await crashTest({
  kills: Number(values.kills),
  seed: Number(values.seed),
  progress: (line) => process.stdout.write(`\r${line}`),
})
console.log(`\r${JSON.stringify(report)}`)
process.exitCode = report.sameBits && report.litter.length === 0 && report.broken.length === 0 ? 0 : 1
