import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const script = fileURLToPath(new URL('../../scripts/test-neon.mjs', import.meta.url))
// A machine without any of the tools on its PATH; its compiler and C library may still stand where Debian has them.
const without = (...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], { env: { PATH: '' }, encoding: 'utf8' })
const missing = new RegExp(
  '^emulating 64-bit Arm needs (a Rust compiler ≥ 1\\.\\d+ with the standard library of aarch64-unknown-linux-gnu, )?' +
    'the linker aarch64-linux-gnu-gcc, (the C library in /usr/aarch64-linux-gnu, )?the emulator qemu-aarch64\\. ' +
    'As root on Debian `npm run test:neon -- --install` installs all of it; elsewhere use ' +
    "`rustup target add aarch64-unknown-linux-gnu` and your system's packages of gcc for aarch64-linux-gnu and qemu-user\\.\n$",
)

if (process.arch === 'arm64') {
  test.skip('test:neon without its tools: this machine needs none, NEON is its own', () => {})
} else {
  test('test:neon without its tools says which are missing, and fails unless a skip is asked for', (t) => {
    const failed = without()
    t.regex(failed.stdout.replace('test:neon: ', ''), missing, failed.stderr)
    t.is(failed.status, 1)
    const skipped = without('--or-skip')
    t.regex(skipped.stdout.replace('test:neon: skipped: ', ''), missing, skipped.stderr)
    t.is(skipped.status, 0)
    const installing = without('--install')
    t.is(installing.stdout, 'test:neon: --install needs apt-get, which is not here.\n')
    t.is(installing.status, 1)
  })
}
