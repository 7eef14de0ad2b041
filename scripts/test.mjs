// Runs every test and closes with one line: `N passed, N failed, N skipped`. Options: --rust, --ts for a part of them.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const only = process.argv.slice(2)
const wants = (part) => only.length === 0 || only.includes(`--${part}`)
const totals = { passed: 0, failed: 0, skipped: 0 }

/** Runs a command, shows what it prints, and resolves with its exit code and output. */
function run(title, command, args, env = {}) {
  console.log(`\n> ${title}`)
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve({ code: 1, output })
    })
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Adds up the numbers that the patterns find; a command that failed without a failed test counts as one. */
function count({ code, output }, patterns) {
  let failed = 0
  for (const [key, pattern] of Object.entries(patterns)) {
    for (const match of output.matchAll(pattern)) {
      totals[key] += Number(match[1])
      if (key === 'failed') failed += Number(match[1])
    }
  }
  if (code !== 0 && failed === 0) totals.failed++
}

const tsc = (project) =>
  run(`tsc -p ${project}`, process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', project])

async function ava(title, args, env) {
  const result = await run(
    title,
    process.execPath,
    [join('node_modules', 'ava', 'entrypoints', 'cli.mjs'), ...args],
    env,
  )
  count(result, {
    passed: /^\s*(\d+) tests? passed/gm,
    failed: /^\s*(\d+) (?:tests? failed|uncaught exceptions?|unhandled rejections?)/gm,
    skipped: /^\s*(\d+) tests? skipped/gm,
  })
}

if (wants('rust')) {
  const result = await run('cargo test', 'cargo', ['test', '-q', '-p', 'ferrograd-kernels', '-p', 'ferrograd-stream'])
  count(result, {
    passed: /^test result: \w+\. (\d+) passed/gm,
    failed: /^test result: .*?(\d+) failed/gm,
    skipped: /^test result: .*?(\d+) ignored/gm,
  })
}

if (wants('ts')) {
  await run('examples of the documentation', process.execPath, [join('scripts', 'extract-examples.mjs')])
  const built = [await tsc('tsconfig.json'), await tsc('examples/tsconfig.json'), await tsc('__test__/tsconfig.json')]
  if (built.every(({ code }) => code === 0)) {
    await ava('ava', [])
    const { native } = await import('../dist/native/index.js')
    const best = native.instructionSet()
    for (const path of ['scalar', 'avx2', 'neon'].filter(
      (name) => name !== best && native.instructionSets().includes(name),
    )) {
      await ava(`ava, golden numbers with FERROGRAD_SIMD=${path}`, ['.test-build/golden.spec.js'], {
        FERROGRAD_SIMD: path,
      })
    }
  } else {
    totals.failed++
  }
}

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1)
