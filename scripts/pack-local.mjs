// Makes the tarballs that would be published, for this machine's platform, in packages/: the main package, and the
// platform package with the binary that it depends on optionally. No install script runs on a user's machine.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(root, 'packages')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const { binaryName, packageName } = manifest.napi

// What the loader looks for, by the file name of the binary: OS, processor and C library as npm names them.
const binaries = readdirSync(join(root, 'native')).filter((name) => name.endsWith('.node'))
if (binaries.length === 0) throw new Error('no binary in native/: run npm run build first')

rmSync(out, { recursive: true, force: true })

function pack(folder) {
  const [{ filename, size, unpackedSize }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
      cwd: folder,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    }),
  )
  console.log(
    `packages/${filename}  ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`,
  )
  rmSync(folder, { recursive: true })
}

const common = { version: manifest.version, license: manifest.license, engines: manifest.engines }
const optionalDependencies = {}
for (const binary of binaries) {
  const platform = binary.slice(binaryName.length + 1, -'.node'.length)
  const [os, cpu, abi] = platform.split('-')
  const folder = join(out, platform)
  mkdirSync(folder, { recursive: true })
  cpSync(join(root, 'native', binary), join(folder, binary))
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const libc = { gnu: 'glibc', musl: 'musl' }[abi]
  const name = `${packageName}-${platform}`
  writeFileSync(join(folder, 'README.md'), `# ${name}\n\nThe native addon of ferrograd for ${platform}.\n`)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify(
      { name, ...common, main: binary, files: [binary], os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) },
      null,
      2,
    ),
  )
  optionalDependencies[name] = manifest.version
  pack(folder)
}

const main = join(out, 'main')
mkdirSync(main)
for (const path of [...manifest.files, 'README.md', 'LICENSE', 'NOTICE', 'CHANGELOG.md']) {
  if (existsSync(join(root, path))) cpSync(join(root, path), join(main, path), { recursive: true })
}
// One module instead of two hundred: importing it takes a sixth of the time. Two folders deep, as the loader is, so that
// its relative path to native/ holds. What the worker threads of a search run is a second entry beside it.
const rolldown = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs')
const libraries = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
const imported = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.js'))
  .flatMap((name) => [...readFileSync(join(root, 'dist', name), 'utf8').matchAll(/(?:from |import\()'([^.'][^']*)'/g)])
  .map(([, name]) => name)
  .filter((name) => libraries.some((library) => name === library || name.startsWith(`${library}/`)))
const external = [...new Set(imported)].flatMap((name) => ['--external', name])
const target = ['--format', 'esm', '--platform', 'node', '-d', join(main, 'dist', 'bundle')]
const entries = [join(root, 'dist', 'index.js'), join(root, 'dist', 'search', 'worker.js')]
execFileSync(process.execPath, [rolldown, ...entries, ...target, ...external], { stdio: 'ignore' })
for (const name of readdirSync(join(main, 'dist'), { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.js') && !name.startsWith('bundle')) rmSync(join(main, 'dist', name))
}
const { scripts, devDependencies, ava, napi, ...published } = manifest
published.exports['.'].default = './dist/bundle/index.js'
writeFileSync(join(main, 'package.json'), JSON.stringify({ ...published, optionalDependencies }, null, 2))
pack(main)
