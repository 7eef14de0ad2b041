// Compiles and runs the examples, and says which failed and how long each took: `npm run examples`, or `-- NAME …` for
// some of them. --short (or EXAMPLES_SHORT=1) runs the short form, on the data of the package.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
const short = args.includes('--short') || process.env.EXAMPLES_SHORT === '1'
const all = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
const wanted = args.filter((arg) => arg !== '--short').map((name) => name.replace(/^examples\/|\.ts$/g, ''))
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`there is no example ${unknown.join(', ')}. there are ${all.join(', ')}`)
  process.exit(1)
}

function run(...command) {
  const env = { ...process.env, ...(short && { EXAMPLES_SHORT: '1' }) }
  return spawnSync(process.execPath, command, { cwd: root, env, stdio: 'inherit' }).status === 0
}

const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
for (const project of ['tsconfig.json', 'examples/tsconfig.json']) if (!run(tsc, '-p', project)) process.exit(1)

const failed = []
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n> ${name}`)
  const began = performance.now()
  const passed = run(join('.examples-build', `${name}.js`))
  console.log(`${passed ? '' : 'FAILED: '}${name}, ${((performance.now() - began) / 1000).toFixed(1)} s`)
  if (!passed) failed.push(name)
}
if (failed.length > 0) console.error(`\nfailed: ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)
