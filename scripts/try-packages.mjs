// Installs the tarballs of `npm run pack:local` into an empty folder, with no cargo on the PATH, and trains on digits
// and searches on worker threads with each of the Node versions named (default 20 22 24 26; npm's `node` package brings them).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26']
const packages = join(root, 'packages')
const tarballs = readdirSync(packages).map((name) => join(packages, name))

const script = `
const before = performance.now()
const { datasets, layers, search, sequential, setSeed } = await import('ferrograd')
const loaded = performance.now() - before
setSeed(1)
const { train, test } = datasets.digits()
const model = sequential({
  inputShape: [8, 8, 1],
  layers: [
    layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 10 }),
  ],
})
model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
await model.fit(train.images, train.labels, { epochs: 10, verbose: 0 })
const { accuracy } = await model.evaluate(test.images, test.labels)
const data = { train, validation: test }
const space = { units: search.choice([8, 16]) }
const build = new URL('./build.js', import.meta.url)
const trial = { build, space, data, trials: 2, epochs: 1, seed: 1, verbose: 0 }
const here = await search.random({ ...trial, concurrency: 1 })
const workers = await search.random({ ...trial, concurrency: 2 })
if (JSON.stringify(here) !== JSON.stringify(workers)) throw new Error('worker threads give other trials')
console.log(process.version, 'test accuracy', accuracy.toFixed(3), 'import took', loaded.toFixed(0), 'ms')
`

const build = `
import { models } from 'ferrograd'
export function build({ units }) {
  const model = models.twoLayerNet({ inputShape: [8, 8, 1], units, classes: 10 })
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}
`

const folder = mkdtempSync(join(tmpdir(), 'ferrograd-'))
try {
  const npm = (...args) =>
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  writeFileSync(join(folder, 'train.js'), script)
  writeFileSync(join(folder, 'build.js'), build)
  npm('install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs)
  // Without cargo: only npm's folder and the system's are left.
  const path = [dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  for (const version of versions) {
    npm(
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      join(folder, `node-${version}`),
      `node@${version}`,
    )
    const node = join(folder, `node-${version}`, 'node_modules', 'node', 'bin', 'node')
    process.stdout.write(execFileSync(node, ['train.js'], { cwd: folder, env: { PATH: path }, encoding: 'utf8' }))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
