// Builds the addon into native/: `node scripts/build-native.mjs [release | fast] [--target TRIPLE]`.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [profile = 'release', ...rest] = process.argv.slice(2)

const cargo = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
if (cargo.status !== 0) {
  console.error(
    [
      'ferrograd: building from source needs Rust 1.89 or newer, and `cargo` is not on the PATH.',
      'Install it from https://rustup.rs, open a new terminal and run `npm install` again.',
      '(Users of the published package need no Rust: it comes with prebuilt binaries.)',
    ].join('\n'),
  )
  process.exit(1)
}

const cli = createRequire(import.meta.url).resolve('@napi-rs/cli')
const entry = join(dirname(cli), 'cli.js')
const result = spawnSync(
  process.execPath,
  [
    entry,
    'build',
    '--platform',
    ...(profile === 'release' ? ['--release'] : ['--profile', profile]),
    '--manifest-path',
    'crates/node/Cargo.toml',
    '--package-json-path',
    'package.json',
    '--output-dir',
    'native',
    '--js',
    'binding.cjs',
    '--dts',
    'binding.d.cts',
    ...rest,
  ],
  { cwd: root, stdio: 'inherit' },
)
process.exit(result.status ?? 1)
