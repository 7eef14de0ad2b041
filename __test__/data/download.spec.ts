// Files of record over connections that break.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { cachedFile, type DownloadRequest } from '../../dist/data/download.js'
import type { RemoteFile } from '../../dist/data/remote-file.js'
import { transfer } from '../../dist/data/transfer.js'
import { runScript } from '../helpers/child.js'
import { type Fault, serve } from '../helpers/file-server.js'

const content = randomBytes(300_000)
const file: RemoteFile = {
  name: 'data.bin',
  bytes: content.length,
  algorithm: 'sha256',
  checksum: createHash('sha256').update(content).digest('hex'),
}
const other = randomBytes(content.length)

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferrograd-download-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function start(t: ExecutionContext, fault?: (name: string, request: number) => Fault | undefined) {
  const server = await serve({ [file.name]: content }, fault)
  t.teardown(() => server.close())
  return server
}

function request(folder: string, mirrors: string[], options: Partial<DownloadRequest> = {}): DownloadRequest {
  return { op: 'datasets.mine', folder, mirrors, offline: false, progress: true, signal: undefined, ...options }
}

test('a file is fetched once, and looked at again each time', async (t) => {
  const folder = join(temporary(t), 'deep', 'er')
  const server = await start(t)
  for (let i = 0; i < 3; i++) {
    const path = await cachedFile(request(folder, [server.url]), file)
    t.is(path, join(folder, 'data.bin'))
    t.true(readFileSync(path).equals(content))
  }
  t.deepEqual(server.requests, ['data.bin'])
  t.deepEqual(readdirSync(folder), ['data.bin'])
})

test('a connection that is cut is gone on with where it broke', async (t) => {
  const folder = temporary(t)
  const server = await start(t, (_, n) => (n < 2 ? { cutAfter: 100_000 } : undefined))
  t.true(readFileSync(await cachedFile(request(folder, [server.url]), file)).equals(content))
  t.is(server.requests.length, 3)
  const starts = server.requests.slice(1).map((line) => /^data\.bin bytes=(\d+)- "data\.bin"$/.exec(line)?.[1])
  t.true(
    starts.every((start) => Number(start) > 0),
    server.requests.join(),
  )
  t.true(Number(starts[1]) > Number(starts[0]))
})

test('an address without ranges begins anew, as does a file that changed', async (t) => {
  const server = await start(t, (_, n) => (n === 0 ? { cutAfter: 50_000 } : { noRanges: true }))
  t.true(readFileSync(await cachedFile(request(temporary(t), [server.url]), file)).equals(content))
  let version = 1
  const changing = await serve(
    { 'data.bin': content },
    (_, n) => {
      version = n + 1
      return n === 0 ? { cutAfter: 50_000, body: other } : undefined
    },
    () => `"${version}"`,
  )
  t.teardown(() => changing.close())
  t.true(readFileSync(await cachedFile(request(temporary(t), [changing.url]), file)).equals(content))
  t.is(changing.requests[1]?.replace(/=\d+/, '='), 'data.bin bytes=- "1"')
})

test('one address goes on where another broke down', async (t) => {
  const folder = temporary(t)
  const broken = await start(t, (_, n) => (n === 0 ? { cutAfter: 200_000 } : { cutAfter: 0 }))
  const whole = await start(t)
  t.true(readFileSync(await cachedFile(request(folder, [broken.url, whole.url]), file)).equals(content))
  t.is(whole.requests.length, 1)
  t.regex(whole.requests[0]!, /^data\.bin bytes=\d+-$/)
  t.deepEqual(readdirSync(folder), ['data.bin'])
})

test('what another process left is gone on with, and thrown away if it is of another file', async (t) => {
  // No process has this number: it is beyond the largest that systems give.
  const left = 'data.bin.4194999-0-00c0ffee.part'
  for (const [begin, expected] of [
    [content, 1],
    [other, 2],
  ] as const) {
    const folder = temporary(t)
    writeFileSync(join(folder, left), begin.subarray(0, 120_000))
    const server = await start(t)
    t.true(readFileSync(await cachedFile(request(folder, [server.url]), file)).equals(content))
    t.is(server.requests[0], 'data.bin bytes=120000-')
    t.is(server.requests.length, expected)
    t.deepEqual(readdirSync(folder), ['data.bin'])
  }
})

test('a file that somebody is writing is left alone', async (t) => {
  const folder = temporary(t)
  const parent = join(folder, `data.bin.${process.ppid}-0-00c0ffee.part`)
  writeFileSync(parent, 'x')
  const server = await start(t)
  await cachedFile(request(folder, [server.url]), file)
  t.deepEqual(server.requests, ['data.bin'])
  t.is(readFileSync(parent, 'utf8'), 'x')
})

test('wrong contents, pages and answers lead to the next address', async (t) => {
  const faults: [Fault, (url: string) => string][] = [
    [{ body: other }, () => `its sha256 is ${createHash('sha256').update(other).digest('hex')}, not ${file.checksum}`],
    [{ status: 404 }, () => '404 Not Found'],
    [{ status: 403 }, () => '403 Forbidden'],
    [
      { body: Buffer.from('<html>log in'), headers: { 'content-type': 'text/html; charset=utf-8' } },
      () => 'it answered with a web page (text/html; charset=utf-8) in place of the file',
    ],
    [{ body: other.subarray(1) }, () => 'it has 299999 bytes there, not 300000'],
  ]
  for (const [fault, reason] of faults) {
    const [folder, empty] = [temporary(t), temporary(t)]
    const wrong = await start(t, () => fault)
    const good = await start(t)
    t.true(readFileSync(await cachedFile(request(folder, [wrong.url, good.url]), file)).equals(content))
    t.deepEqual(readdirSync(folder), ['data.bin'])
    const error = (await t.throwsAsync(cachedFile(request(empty, [wrong.url]), file))) as NodeJS.ErrnoException
    t.is(
      error.message,
      `datasets.mine: data.bin could not be fetched. ${wrong.url}data.bin: ${reason(wrong.url)}. check the connection, name other addresses with mirrors, or put the file into ${empty} yourself (sha256 ${file.checksum})`,
    )
    t.is(error.code, 'ERR_DOWNLOAD')
    t.false(readdirSync(empty).includes('data.bin'))
  }
})

test('a server without a word about the length cannot send more than there should be', async (t) => {
  const server = await start(t, () => ({
    body: Buffer.concat([content, content]),
    unknownLength: true,
  }))
  const error = await t.throwsAsync(cachedFile(request(temporary(t), [server.url]), file))
  t.true(error?.message.includes('it is longer than the 300000 bytes of the file'), error?.message)
})

test('a server that errs for a while is asked again; one that is not there is named', async (t) => {
  const server = await start(t, (_, n) => (n < 2 ? { status: 503 } : undefined))
  t.true(readFileSync(await cachedFile(request(temporary(t), [server.url]), file)).equals(content))
  const gone = await serve({})
  await gone.close()
  const error = await t.throwsAsync(cachedFile(request(temporary(t), [gone.url]), file))
  t.regex(
    error!.message,
    /^datasets\.mine: data\.bin could not be fetched\. http:\S+data\.bin: fetch failed: .*ECONNREFUSED.* \(3 attempts\)\. check the connection/,
  )
})

test('a silent server is given up', async (t) => {
  const server = await start(t, (_, n) => ({ stallAfter: n === 0 ? 1000 : 0 }))
  const path = join(temporary(t), 'part')
  const waiting = transfer(`${server.url}data.bin`, path, file, { silenceMs: 100 })
  const outcome = await waiting.then(
    () => 'it came to an end',
    (error: Error) => error.message,
  )
  t.is(outcome, 'it was silent for 0.1 seconds (3 attempts)', server.requests.join())
  t.true(readFileSync(path).equals(content.subarray(0, readFileSync(path).length)))
})

test('a signal ends the wait, and the next call goes on', async (t) => {
  const folder = temporary(t)
  const server = await start(t, (_, n) => (n === 0 ? { stallAfter: 150_000 } : undefined))
  const controller = new AbortController()
  const asked = cachedFile(request(folder, [server.url], { signal: controller.signal }), file)
  const arrived = () => readdirSync(folder).some((name) => statSync(join(folder, name)).size === 150_000)
  const watch = setInterval(() => arrived() && controller.abort(), 20)
  t.teardown(() => clearInterval(watch))
  t.is(((await t.throwsAsync(asked, { any: true })) as Error).name, 'AbortError')
  t.false(readdirSync(folder).includes('data.bin'))
  t.true(readFileSync(await cachedFile(request(folder, [server.url]), file)).equals(content))
  t.is(server.requests[1], 'data.bin bytes=150000-')
  t.deepEqual(readdirSync(folder), ['data.bin'])
  const aborted = cachedFile(request(folder, [server.url], { signal: AbortSignal.abort() }), file)
  t.is(((await t.throwsAsync(aborted, { any: true })) as Error).name, 'AbortError')
})

test('offline takes what is there and says what is not', async (t) => {
  const folder = temporary(t)
  const path = join(folder, 'data.bin')
  const offline = request(folder, ['http://127.0.0.1:1/'], { offline: true })
  const way = `and offline: true forbids to fetch it. call it once with a connection, or put data.bin there (sha256 ${file.checksum})`
  await t.throwsAsync(cachedFile(offline, file), {
    message: `datasets.mine: ${path} is not there, ${way}`,
    code: 'ERR_OFFLINE',
  })
  writeFileSync(path, content.subarray(1))
  await t.throwsAsync(cachedFile(offline, file), {
    message: `datasets.mine: ${path} is not the file of record: it has 299999 bytes, not 300000, ${way}`,
  })
  writeFileSync(path, content)
  t.is(await cachedFile(offline, file), path)
})

test('a file in the cache that went bad is fetched again', async (t) => {
  const folder = temporary(t)
  writeFileSync(join(folder, 'data.bin'), other)
  const server = await start(t)
  t.true(readFileSync(await cachedFile(request(folder, [server.url]), file)).equals(content))
  t.deepEqual(readdirSync(folder), ['data.bin'])
})

test('a cache that cannot be used is named', async (t) => {
  const folder = temporary(t)
  writeFileSync(join(folder, 'taken'), '')
  await t.throwsAsync(cachedFile(request(join(folder, 'taken', 'sub'), ['http://127.0.0.1:1/']), file), {
    message: `datasets.mine: ${join(folder, 'taken', 'sub', 'data.bin')} cannot be read. a part of the path is not a folder (ENOTDIR)`,
    code: 'ENOTDIR',
  })
  mkdirSync(join(folder, 'data.bin'))
  await t.throwsAsync(cachedFile(request(folder, ['http://127.0.0.1:1/'], { offline: true }), file), {
    code: 'ERR_OFFLINE',
  })
})

test('a terminal shows how far it is; nothing else does, nor when it is not wanted', async (t) => {
  const server = await start(t)
  const run = async (isTTY: boolean, progress: boolean) => {
    const { stdout } = await runScript(`
      import { cachedFile } from ${JSON.stringify(new URL('../../dist/data/download.js', import.meta.url).href)}
      process.stdout.isTTY = ${isTTY}
      const request = ${JSON.stringify(request(temporary(t), [server.url], { progress }))}
      await cachedFile(request, ${JSON.stringify(file)})`)
    return stdout
  }
  t.regex(await run(true, true), /data\.bin \[=+\.*\] 0\.3\/0\.3 MB/)
  t.is(await run(false, true), '')
  t.is(await run(true, false), '')
})

test('two processes and two calls at once all end with a good file', async (t) => {
  const folder = temporary(t)
  const server = await start(t)
  const module = fileURLToPath(new URL('../../dist/data/download.js', import.meta.url))
  const code = `
    import { cachedFile } from ${JSON.stringify(new URL(`file://${module}`).href)}
    const [folder, url, file] = process.argv.slice(1)
    const request = { op: 'x', folder, mirrors: [url], offline: false, progress: true, signal: undefined }
    await Promise.all([1, 2].map(() => cachedFile(request, JSON.parse(file))))
  `
  const run = () =>
    new Promise<number | null>((resolve) => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '--eval', code, folder, server.url, JSON.stringify(file)],
        { stdio: 'inherit' },
      )
      child.on('close', resolve)
    })
  t.deepEqual(await Promise.all([run(), run()]), [0, 0])
  t.true(readFileSync(join(folder, 'data.bin')).equals(content))
  t.deepEqual(readdirSync(folder), ['data.bin'])
})
