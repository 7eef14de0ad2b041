// Runs on `npm install` in a clone: builds the addon and the TypeScript. Published packages carry both.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run(join('scripts', 'build-native.mjs'), 'release')
run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json')
