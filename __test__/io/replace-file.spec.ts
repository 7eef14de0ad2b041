// A file is replaced whole or not at all, whatever the system does.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import { loadTensors, ones, saveTensors } from 'ferrograd'
import { replaceFile } from '../../dist/io/replace-file.js'
import { temporaryName } from '../../dist/io/temporary-files.js'
import { packageUrl, runChild } from '../helpers/child.js'
import { type Call, failingFileSystem } from '../helpers/failing-file-system.js'
import { temporaryFolder } from '../helpers/folder.js'

const posix = process.platform !== 'win32'
const root = posix && process.getuid!() === 0
const posixTest = posix ? test : test.skip

/** Contents that come in several pieces, one of them larger than what is written at a time. */
const pieces = async function* () {
  yield Buffer.alloc(100, 1)
  yield Buffer.alloc(0)
  yield Buffer.alloc((8 << 20) + 1, 2)
}
const whole = Buffer.concat([Buffer.alloc(100, 1), Buffer.alloc((8 << 20) + 1, 2)])

test('the order of things: write, flush, rename, flush the folder', async (t) => {
  const path = join(temporaryFolder(t), 'a')
  writeFileSync(path, 'old')
  const { fs, calls } = failingFileSystem()
  await replaceFile('save', path, pieces, { fs, verify: true })
  t.deepEqual(
    calls.filter((call) => !['stat', 'access', 'realpath', 'read'].includes(call)),
    [
      'open',
      'write',
      'write',
      'write',
      'chmod',
      'sync',
      'close',
      'rename',
      'folder open',
      'folder sync',
      'folder close',
    ],
  )
  t.true(calls.indexOf('read') > calls.indexOf('sync') && calls.lastIndexOf('read') < calls.indexOf('close'))
  t.true(readFileSync(path).equals(whole))
})

const untouched = 'the file cannot be written, and what was there before is untouched'
const failures: [Call, number, string, string][] = [
  ['realpath', 1, 'EACCES', `${untouched}. the system does not permit it (EACCES)`],
  ['stat', 1, 'EIO', `${untouched}. the disk failed (EIO)`],
  ['access', 1, 'EACCES', `${untouched}. the system does not permit it (EACCES)`],
  ['open', 1, 'EMFILE', `${untouched}. too many files are open (EMFILE)`],
  ['open', 1, 'EROFS', `${untouched}. the disk can only be read (EROFS)`],
  ['write', 1, 'ENOSPC', `${untouched}. the disk is full (ENOSPC)`],
  ['write', 3, 'EDQUOT', `${untouched}. the quota of the disk is used up (EDQUOT)`],
  ['write', 2, 'EIO', `${untouched}. the disk failed (EIO)`],
  ['chmod', 1, 'EPERM', `${untouched}. the system does not permit it (EPERM)`],
  ['sync', 1, 'EIO', `${untouched}. the disk failed (EIO)`],
  ['read', 2, 'EIO', `${untouched}. the disk failed (EIO)`],
  ['close', 1, 'ENOSPC', `${untouched}. the disk is full (ENOSPC)`],
  ['rename', 1, 'EIO', `${untouched}. the disk failed (EIO)`],
  ['rename', 1, 'EXDEV', `${untouched}. EXDEV: for a test`],
]
for (const [call, count, code, message] of failures) {
  test(`${code} at ${call} ${count} leaves the old file and nothing else`, async (t) => {
    const folder = temporaryFolder(t)
    const path = join(folder, 'a')
    writeFileSync(path, 'old')
    const { fs } = failingFileSystem((other, n) => (other === call && n === count ? code : undefined))
    await t.throwsAsync(replaceFile('save "a"', path, pieces, { fs, verify: true }), {
      code,
      message: `save "a": ${message}`,
    })
    t.is(readFileSync(path, 'utf8'), 'old')
    t.deepEqual(readdirSync(folder), ['a'])
    // It was a failure, not a state: the next one succeeds.
    await replaceFile('save "a"', path, pieces)
    t.true(readFileSync(path).equals(whole))
  })
}

test('contents that fail on the way leave the old file and nothing else', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a')
  writeFileSync(path, 'old')
  const failing = async function* () {
    yield Buffer.alloc(10)
    throw new RangeError('no memory for a copy')
  }
  await t.throwsAsync(replaceFile('save', path, failing), { instanceOf: RangeError, message: 'no memory for a copy' })
  t.deepEqual([readFileSync(path, 'utf8'), readdirSync(folder)], ['old', ['a']])
})

posixTest('a folder that cannot be flushed', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a')
  const failing = (code: string) => failingFileSystem((call) => (call === 'folder sync' ? code : undefined)).fs
  await t.throwsAsync(replaceFile('save', path, pieces, { fs: failing('EIO') }), {
    code: 'EIO',
    message: 'save: the file is written, but its name may not outlive a power cut. the disk failed (EIO)',
  })
  t.true(readFileSync(path).equals(whole))
  // Some file systems have no such thing.
  await replaceFile('save', path, pieces, { fs: failing('EINVAL') })
  t.deepEqual(readdirSync(folder), ['a'])
})

test('signals and short writes are nothing to fail for', async (t) => {
  const path = join(temporaryFolder(t), 'a')
  const { fs, calls } = failingFileSystem(
    (call, n) => (n % 2 === 1 && !call.endsWith('close') ? 'EINTR' : undefined),
    (length) => Math.max(1, Math.ceil(length / 3)),
  )
  const small = async function* () {
    yield Buffer.from('some contents')
    yield Buffer.from(' and more')
  }
  // Not these: they are asked once, and what they say is told.
  const calm = { ...fs, realpath: async (path: string) => path, access: async () => {} }
  calm.stat = async () => {
    throw Object.assign(new Error(), { code: 'ENOENT' })
  }
  await replaceFile('save', path, small, { fs: calm, verify: true })
  t.is(readFileSync(path, 'utf8'), 'some contents and more')
  t.true(calls.filter((call) => call === 'write').length > 10)
})

test('a system that writes nothing, and a disk that keeps something else', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a')
  const nothing = failingFileSystem(
    () => undefined,
    () => 0,
  )
  await t.throwsAsync(replaceFile('save', path, pieces, nothing), {
    code: 'ERR_IO',
    message: `save: ${untouched}. the system took no bytes`,
  })
  const { fs } = failingFileSystem()
  const forgetful = {
    ...fs,
    async open(name: string, flags: string, mode?: number) {
      const file = await fs.open(name, flags, mode)
      return {
        ...file,
        async read(buffer: Uint8Array, offset: number, length: number, position: number) {
          const result = await file.read(buffer, offset, length, position)
          buffer[50]! ^= 1
          return result
        },
      }
    },
  }
  await t.throwsAsync(replaceFile('save', path, pieces, { fs: forgetful, verify: true }), {
    code: 'ERR_IO',
    message: `save: ${untouched}. what was written reads back differently`,
  })
  t.deepEqual(readdirSync(folder), [])
})

posixTest('the mode is kept, links are followed, and what is no file stays', async (t) => {
  const folder = temporaryFolder(t)
  const x = { x: ones([3]) }
  const at = (name: string) => join(folder, name)
  await saveTensors(at('new'), x)
  t.is(statSync(at('new')).mode & 0o777, 0o666 & ~process.umask())
  chmodSync(at('new'), 0o640)
  await saveTensors(at('new'), x)
  t.is(statSync(at('new')).mode & 0o777, 0o640)

  mkdirSync(at('deep'))
  symlinkSync('../real', at('deep/second'))
  symlinkSync('deep/second', at('link'))
  await saveTensors(at('link'), x)
  t.true(lstatSync(at('link')).isSymbolicLink() && lstatSync(at('deep/second')).isSymbolicLink())
  t.true(lstatSync(at('real')).isFile())
  await saveTensors(at('link'), { y: ones([1]) })
  t.deepEqual(Object.keys(await loadTensors(at('real'))), ['y'])

  symlinkSync('b', at('a'))
  symlinkSync('a', at('b'))
  await t.throwsAsync(saveTensors(at('a'), x), {
    code: 'ELOOP',
    message: `saveTensors "${at('a')}": ${untouched}. symbolic links lead in a circle (ELOOP)`,
  })
  await t.throwsAsync(saveTensors(at('deep'), x), {
    instanceOf: TypeError,
    message: `saveTensors "${at('deep')}": there is something that is not a file, and it is not replaced`,
  })
  execFileSync('mkfifo', [at('pipe')])
  await t.throwsAsync(saveTensors(at('pipe'), x), { instanceOf: TypeError })
  t.true(lstatSync(at('pipe')).isFIFO())
  await t.throwsAsync(saveTensors(at('none/a'), x), {
    code: 'ENOENT',
    message: `saveTensors "${at('none/a')}": ${untouched}. there is no such file or folder (ENOENT)`,
  })
  await t.throwsAsync(saveTensors(at('new/a'), x), {
    code: 'ENOTDIR',
    message: `saveTensors "${at('new/a')}": ${untouched}. a part of the path is not a folder (ENOTDIR)`,
  })
  const long = 'x'.repeat(240)
  await saveTensors(at(long), x)
  t.true(existsSync(at(long)))
  t.deepEqual(readdirSync(folder).sort(), ['a', 'b', 'deep', 'link', 'new', 'pipe', 'real', long].sort())
})

posixTest('what may not be written is not', async (t) => {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o777)
  const [file, closed] = [join(folder, 'file'), join(folder, 'closed')]
  writeFileSync(file, 'old')
  chmodSync(file, 0o444)
  mkdirSync(closed)
  chmodSync(closed, 0o555)
  const save = (path: string) =>
    `await f.saveTensors(${JSON.stringify(path)}, { x: f.ones([3]) }).catch((error) => console.log(error.code, error.message))`
  // The superuser may do everything, and so becomes somebody else.
  const drop = root ? 'process.setgid(65534); process.setuid(65534);' : ''
  const { stdout, stderr } = await runChild(`${drop} ${save(file)}; ${save(join(closed, 'a'))}`)
  t.is(
    stdout,
    `EACCES saveTensors "${file}": ${untouched}. the system does not permit it (EACCES)\nEACCES saveTensors "${join(closed, 'a')}": ${untouched}. the system does not permit it (EACCES)\n`,
    stderr,
  )
  t.deepEqual([readFileSync(file, 'utf8'), readdirSync(folder).sort()], ['old', ['closed', 'file']])
})

const mounts = root && process.platform === 'linux' && canMount()
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

;(mounts ? test : test.skip)('a disk that is really full (needs the superuser and mount)', (t) => {
  const folder = temporaryFolder(t)
  const line = 'ENOSPC there before is untouched. the disk is full (ENOSPC)\n'
  const script = `
    import * as f from ${JSON.stringify(packageUrl)}
    import { readdirSync } from 'node:fs'
    const path = ${JSON.stringify(join(folder, 'a'))}
    await f.saveTensors(path, { x: f.ones([100]) })
    for (const n of [1 << 20, 400_000]) {
      await f.saveTensors(path, { y: f.ones([n]) }).catch((error) => console.log(error.code, error.message.slice(-${line.length - 8})))
    }
    console.log(readdirSync(${JSON.stringify(folder)}).join(), Object.keys(await f.loadTensors(path)).join())`
  const run = `mount -t tmpfs -o size=1m tmpfs ${folder} && exec ${process.execPath} --input-type=module -e "$SCRIPT"`
  const out = execFileSync('unshare', ['-m', 'sh', '-c', run], {
    env: { ...process.env, SCRIPT: script },
    encoding: 'utf8',
  })
  t.is(out, `${line}${line}a x\n`)
})

test('temporary files of writers that died are cleared away, those of others are not', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.safetensors')
  const own = temporaryName('other.safetensors')
  t.true(basename(own).startsWith('.other.safetensors.'))
  const fields = /\.([0-9a-f]{8})-(\d+)-(\d*)-[0-9a-f]{8}\.ferrograd-tmp$/.exec(own)!
  const [, machine, pid, began] = fields as unknown as [string, string, string, string]
  const name = (parts: [string, string | number, string | number], base = 'b') =>
    `.${base}.${parts.join('-')}-00000000.ferrograd-tmp`
  const dead = await runChild('console.log(process.pid)')
  const other = machine === '00000000' ? '11111111' : '00000000'
  const files = {
    alive: own,
    dead: name([machine, dead.stdout.trim(), began]),
    elsewhere: name([other, pid, began]),
    old: name([other, pid, began], 'a.safetensors'),
    foreign: '.something.tmp',
  }
  if (process.platform === 'linux') Object.assign(files, { reused: name([machine, pid, Number(began) - 1], 'c') })
  for (const file of Object.values(files)) writeFileSync(join(folder, file), 'x')
  const days = Date.now() / 1000 - 25 * 3600
  utimesSync(join(folder, files.old), days, days)
  utimesSync(join(folder, files.alive), days, days)
  await saveTensors(path, { x: ones([1]) })
  const left = ['a.safetensors', files.elsewhere, files.foreign]
  // Without /proc a process that runs may be another one with the same number.
  if (process.platform === 'linux') left.push(files.alive)
  t.deepEqual(readdirSync(folder).sort(), left.sort())
})

test('who reads while others write sees a whole file', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.safetensors')
  await saveTensors(path, { x: ones([300_000]) })
  const writer = (n: number) =>
    runChild(
      `for (let i = 0; i < 20; i++) await f.saveTensors(${JSON.stringify(path)}, { x: f.full([300_000 + ${n} * i], i) })`,
    )
  let writing = true
  const writers = Promise.all([writer(1), writer(2)]).then((results) => {
    writing = false
    return results
  })
  let reads = 0
  while (writing) {
    const { x } = await loadTensors(path)
    const data = await x!.data()
    t.true(data.every((value) => value === data[0]))
    x!.dispose()
    reads++
  }
  for (const { code, stderr } of await writers) t.is(code, 0, stderr)
  t.true(reads > 1)
  t.deepEqual(readdirSync(folder), ['a.safetensors'])
})
