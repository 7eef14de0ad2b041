// The order of the house: images -> batch -> layer -> op -> native kernel -> gradient -> optimizer -> weights. Imports
// point one way, and never in a circle.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('../../ts/', import.meta.url))

/** Later lines may import earlier ones; what shares a line may import each other, but not in a circle of files. */
const order = [
  ['errors', 'native'],
  ['tensor'],
  ['autograd'],
  ['ops'],
  ['initializers', 'regularizers', 'constraints', 'schedules'],
  ['augment', 'io'],
  ['layers'],
  ['losses', 'optimizers', 'metrics'],
  ['data', 'preprocessing'],
  ['callbacks', 'training'],
  ['models'],
  ['search', 'sanity', 'exchange'],
  ['index'],
]

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

const imports: Import[] = files.flatMap((from) =>
  [...readFileSync(join(root, from), 'utf8').matchAll(/^(import|export)( type)?\s[^;'"]*?from '(\.[^']+)'/gms)].map(
    (match) => ({
      from,
      to: normalize(join(dirname(from), match[3]!))
        .replaceAll('\\', '/')
        .replace(/\.js$/, '.ts'),
      typeOnly: match[2] !== undefined,
    }),
  ),
)

const placeOf = (file: string) => order.findIndex((names) => names.includes(file.replace(/[/.].*$/, '')))

test('every folder has its place', (t) => {
  t.true(imports.length > 20)
  t.deepEqual(
    files.filter((file) => placeOf(file) < 0),
    [],
  )
})

test('imports point one way', (t) => {
  const wrong = imports.filter(
    ({ from, to, typeOnly }) => !to.startsWith('..') && !typeOnly && placeOf(to) > placeOf(from),
  )
  t.deepEqual(
    wrong.map(({ from, to }) => `${from} -> ${to}`),
    [],
  )
})

test('no file imports itself through others', (t) => {
  const next = new Map<string, string[]>(files.map((file) => [file, []]))
  for (const { from, to, typeOnly } of imports) if (!typeOnly && next.has(to)) next.get(from)!.push(to)
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    if (done.has(file)) return
    for (const other of next.get(file)!) visit(other, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.deepEqual(circles, [])
})

test('only one file names rayon, and only the binding knows napi', (t) => {
  const crates = fileURLToPath(new URL('../../crates/', import.meta.url))
  const sources = readdirSync(crates, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rs'))
    .map((name) => name.replaceAll('\\', '/'))
  const naming = (pattern: RegExp) => sources.filter((name) => pattern.test(readFileSync(join(crates, name), 'utf8')))
  t.deepEqual(naming(/\brayon::/), ['kernels/src/parallel.rs'])
  t.deepEqual(
    naming(/\bnapi(_derive)?::/).filter((name) => !name.startsWith('node/')),
    [],
  )
})
