// Runs the Rust tests on NEON: natively on 64-bit Arm, elsewhere cross-compiled and emulated.
// `npm run test:neon -- [--install] [--or-skip] [part of a test's name]`: `--install` has Debian's apt get what is missing
// (as root), `--or-skip` makes it a skip and no failure if a machine cannot emulate.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findArmTools, installArmTools } from './arm-tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { install: { type: 'boolean', default: false }, 'or-skip': { type: 'boolean', default: false } },
})

/** How cargo builds for Arm and runs what it built. Where Arm is emulated, plain code, which every machine tests, is left out. */
function emulation({ target, compiler, flags, linker, libraries, emulator }) {
  const forTarget = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}`
  const given = (process.env.RUSTFLAGS ?? '').split(' ').filter(Boolean)
  return {
    args: ['--profile', 'neon', '--target', target],
    env: {
      RUSTC: compiler,
      CARGO_ENCODED_RUSTFLAGS: [...given, ...flags].join('\x1f'),
      [`${forTarget}_LINKER`]: linker,
      [`${forTarget}_RUNNER`]: `${emulator} -L ${libraries}`,
      FERROGRAD_SIMD: process.env.FERROGRAD_SIMD ?? 'neon',
    },
  }
}

/** Nothing if this machine cannot run code for Arm, having said why. */
function preparation() {
  if (process.arch === 'arm64') return { args: [], env: {} }
  try {
    if (options.install && findArmTools(root).missing.length > 0) installArmTools(root)
    const { tools, missing } = findArmTools(root)
    if (missing.length === 0) return emulation(tools)
    throw new Error(
      [
        `emulating 64-bit Arm needs ${missing.join(', ')}.`,
        'As root on Debian `npm run test:neon -- --install` installs all of it; elsewhere use',
        "`rustup target add aarch64-unknown-linux-gnu` and your system's packages of gcc for aarch64-linux-gnu and qemu-user.",
      ].join(' '),
    )
  } catch (error) {
    console.log(`test:neon: ${options['or-skip'] ? 'skipped: ' : ''}${error.message}`)
  }
}

function cargoTest({ args, env }, crates, testArgs, stdout) {
  const packages = crates.flatMap((name) => ['-p', `ferrograd-${name}`])
  const command = ['test', '-q', '--locked', '--no-fail-fast', '--lib', ...args, ...packages, '--', ...testArgs]
  const result = spawnSync('cargo', command, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  })
  if (result.error) console.error(`cargo: ${result.error.message}`)
  return result
}

function test(prepared) {
  console.log('\n> cargo test on NEON')
  const which = ['--exact', 'simd::tests::kernel_tests_run_on_every_path_or_the_forced_one', '--nocapture']
  const first = cargoTest(prepared, ['kernels'], which, 'pipe')
  const paths = first.stdout?.match(/kernel tests run on (.*)/)?.[1]
  if (first.status !== 0 || !paths?.includes('neon')) {
    console.error(`test:neon: NEON did not run. ${paths ? `kernel tests run on ${paths}` : first.stdout}`)
    return 1
  }
  console.log(`kernel tests run on ${paths}`)
  return cargoTest(prepared, ['kernels', 'stream'], names, 'inherit').status ?? 1
}

const prepared = preparation()
process.exitCode = prepared ? test(prepared) : Number(!options['or-skip'])
