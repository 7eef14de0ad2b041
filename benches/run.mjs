// The one door to the benchmarks: installs the peers where they are missing, compiles, and runs.
//
//   npm run bench                          every job, every peer
//   npm run bench -- dense conv            these groups of jobs, or the jobs whose names begin so
//   npm run bench -- --peers=pytorch,onnxruntime --full
//   npm run bench -- event-loop            a script of this folder instead: see `scripts` below

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const scripts = 'event-loop page-faults memory peak-memory threads busy-neighbour idle image-folder'.split(' ')

if (!existsSync(`${root}dist/index.js`)) {
  console.error('benches: ferrograd itself is not built. run `npm run build` first')
  process.exit(1)
}
if (!existsSync(`${here}node_modules/onnxruntime-node`)) {
  console.error('benches: installing the peers into benches/node_modules, about 420 MB, once')
  // Install scripts are off: brain.js and onnxruntime-node would build or download what these jobs do not use.
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
}
if (!existsSync(`${here}node_modules/ferrograd`)) {
  // Benchmarks import ferrograd by its name, as its users do.
  mkdirSync(`${here}node_modules`, { recursive: true })
  symlinkSync(root, `${here}node_modules/ferrograd`, 'junction')
}
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', here], { stdio: 'inherit' })
// The limits of this machine, to measure beside the jobs; without a Rust compiler the table goes without them.
for (const name of ['fma_peak', 'bandwidth']) {
  if (existsSync(`${here}dist/${name}`)) continue
  const target = ['-C', 'target-cpu=native', '-o', `dist/${name}`, `${name}.rs`]
  spawnSync('rustc', ['--edition', '2024', '-O', ...target], { cwd: here, stdio: 'inherit' })
}

const [first] = process.argv.slice(2)
await import(scripts.includes(first) ? `./dist/${first}.js` : './dist/main.js')
