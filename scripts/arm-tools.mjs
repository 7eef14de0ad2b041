// What it takes to compile for 64-bit Arm Linux and to run that here: found, or installed with Debian's apt.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

const target = 'aarch64-unknown-linux-gnu'
const linker = 'aarch64-linux-gnu-gcc'
const libraries = '/usr/aarch64-linux-gnu'
const debianCompiler = '/usr/bin/rustc'
const debianLibrary = 'libstd-rust-web-dev'
const packages = ['rustc-web', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross', 'qemu-user']

/** What a command prints, or nothing if it fails or is not there. */
function output(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** The tools, and in words what is missing of them. */
export function findArmTools(root) {
  const oldest = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/rust-version = "([\d.]+)"/)[1]
  const tools = {
    target,
    ...findCompiler(root, oldest),
    linker: output(linker, '--version') && linker,
    libraries: existsSync(join(libraries, 'lib', 'libc.so.6')) && libraries,
    emulator: ['qemu-aarch64', 'qemu-aarch64-static'].find((name) => output(name, '--version')),
  }
  const missing = []
  if (!tools.compiler) missing.push(`a Rust compiler ≥ ${oldest} with the standard library of ${target}`)
  if (!tools.linker) missing.push(`the linker ${linker}`)
  if (!tools.libraries) missing.push(`the C library in ${libraries}`)
  if (!tools.emulator) missing.push('the emulator qemu-aarch64')
  return { tools, missing }
}

/** The compiler of the PATH if it has the library (`rustup target add`), or Debian's. */
function findCompiler(root, oldest) {
  const recent = [process.env.RUSTC ?? 'rustc', debianCompiler].filter((rustc) => isRecent(rustc, oldest))
  for (const compiler of recent) {
    const library = output(compiler, '--print', 'target-libdir', '--target', target)
    if (library && existsSync(library)) return { compiler, flags: [] }
  }
  const unpacked = debianLibraryFolder(root)
  if (recent.includes(debianCompiler) && unpacked && existsSync(unpacked)) {
    return { compiler: debianCompiler, flags: [`--sysroot=${join(unpacked, 'usr')}`] }
  }
}

function isRecent(rustc, oldest) {
  const version = output(rustc, '--version')?.match(/^rustc ([\d.]+)/)?.[1]
  return version !== undefined && version.localeCompare(oldest, 'en', { numeric: true }) >= 0
}

/** Where Debian's library for Arm is unpacked: it must be of the same version as Debian's compiler. */
function debianLibraryFolder(root) {
  const version = output('dpkg-query', '-W', debianLibrary)?.split('\t').at(-1)
  return version && join(root, 'target', 'arm-library', version)
}

/** Throws, with the last words of apt, if it does not succeed. */
export function installArmTools(root) {
  if (!output('apt-get', '--version')) throw new Error('--install needs apt-get, which is not here.')
  if (process.getuid() !== 0) throw new Error(`--install needs root, to install ${packages.join(', ')}.`)
  // For these calls only: the machine's own list of architectures stays as it is.
  const architectures = [output('dpkg', '--print-architecture'), 'arm64'].flatMap((name) => [
    '-o',
    `APT::Architectures::=${name}`,
  ])
  apt(root, [...architectures, 'update'])
  apt(root, ['install', '-y', '--no-install-recommends', ...packages])
  const folder = debianLibraryFolder(root)
  if (!existsSync(folder)) unpackDebianLibrary(folder, architectures)
}

/** Unpacks the library and does not install it: its package wants LLVM and more for Arm, which nothing here would run. */
function unpackDebianLibrary(folder, architectures) {
  mkdirSync(dirname(folder), { recursive: true })
  const scratch = mkdtempSync(`${folder}-`)
  try {
    const version = folder.split('/').at(-1)
    apt(scratch, [...architectures, 'download', `${debianLibrary}:arm64=${version}`])
    const [archive] = readdirSync(scratch)
    run(scratch, 'dpkg-deb', ['-x', archive, 'files'])
    renameSync(join(scratch, 'files'), folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function apt(folder, args) {
  const settings = [
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
    'Acquire::Retries=1',
    'DPkg::Lock::Timeout=60',
  ]
  run(folder, 'apt-get', ['-qq', ...settings.flatMap((setting) => ['-o', setting]), ...args])
}

function run(folder, command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
  if (result.status === 0) return
  const said = (result.error?.message ?? result.stderr).trim().split('\n').at(-1)
  throw new Error(`${command} failed, ${said}`)
}
