// The rules of examples/, and their short form: every example runs on a fresh clone, and the small ones come out as the
// course says.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const root = fileURLToPath(new URL('../../', import.meta.url))
const names = readdirSync(join(root, 'examples'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
const source = (name: string) => readFileSync(join(root, 'examples', `${name}.ts`), 'utf8')

/** What an example prints in its short form. */
function run(t: ExecutionContext, name: string): string {
  const script = join(root, '.examples-build', `${name}.js`)
  t.true(existsSync(script), `${script} is missing. run npx tsc -p examples/tsconfig.json`)
  const env = { ...process.env, EXAMPLES_SHORT: '1', CIFAR10_FOLDER: '' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { cwd: root, env, encoding: 'utf8' })
  t.is(status, 0, `${name} failed:\n${stdout}\n${stderr}`)
  t.true(stdout.trim().length > 0, `${name} prints nothing`)
  return stdout
}

/** The numbers that `pattern` captures, in the order in which they are printed. */
function figures(t: ExecutionContext, printed: string, pattern: RegExp): number[] {
  const found = [...printed.matchAll(pattern)].map((match) => Number(match[1]))
  t.true(found.length > 0 && found.every(Number.isFinite), `nothing like ${pattern} in:\n${printed}`)
  return found
}

/** What else the short forms must show. */
const outcomes: Record<string, (t: ExecutionContext, printed: string) => void> = {
  backpropagation(t, printed) {
    const lines = printed.split('\n').map((line) => line.replace(/^.*: /, ''))
    t.deepEqual(lines.slice(0, 2), ['-4.00 -4.00 3.00', '-4.00 -4.00 3.00'])
    t.deepEqual(lines.slice(2, 4), ['0.39 -0.59 -0.20 -0.39 0.20', '0.39 -0.59 -0.20 -0.39 0.20'])
    t.regex(printed, /gradCheck: passed/)
  },
  spiral(t, printed) {
    const [linear, network] = figures(t, printed, /(\d+) % of the points/g)
    t.true(linear! >= 45 && linear! <= 60, printed)
    t.true(network! >= 95, printed)
  },
  'linear-classifier'(t, printed) {
    const validation = figures(t, printed, /(\d\.\d+) in validation/g)
    t.is(validation.length, 2)
    for (const accuracy of validation) t.true(accuracy > 0.8, printed)
    for (const [, path] of printed.matchAll(/templates .*: (.*\.png)/g)) {
      t.is(readFileSync(path!).subarray(1, 4).toString(), 'PNG')
    }
  },
  'two-layer-net'(t, printed) {
    t.true(figures(t, printed, /validation accuracy: (\d\.\d+)/g)[0]! > 0.8, printed)
  },
  'three-layer-convnet'(t, printed) {
    const [overfit, epoch] = figures(t, printed, /(\d\.\d+) of the training images/g)
    t.true(overfit! >= 0.95 && epoch! > 0.4, printed)
  },
  'batch-normalization'(t, printed) {
    const final = figures(t, printed, / (\d\.\d+), validation/g)
    t.true(final[0]! > 0.95, printed)
    const [tiny] = [...printed.matchAll(/weights 0\.0001, .*: (\d\.\d+) (\d\.\d+)/g)]
    t.true(Number(tiny![1]) > 0.5 && Number(tiny![2]) < 0.2, printed)
  },
  dropout(t, printed) {
    t.is(figures(t, printed, /gap (-?\d\.\d+)/g).length, 2)
  },
}

test('every outcome is one of an example', (t) => {
  t.deepEqual(
    Object.keys(outcomes).filter((name) => !names.includes(name)),
    [],
  )
})

for (const name of names) {
  test(`example ${name}: at most 60 lines, and it begins with what it is about`, (t) => {
    const lines = source(name).trimEnd().split('\n')
    t.true(lines.length <= 60, `${lines.length} lines`)
    t.regex(lines[0]!, /^\/\/ .{20,}/)
  })
  test.serial(`example ${name} runs`, (t) => {
    const printed = run(t, name)
    outcomes[name]?.(t, printed)
  })
}

test('the course page links every example, and what it links is there', (t) => {
  const page = readFileSync(join(root, 'docs', 'course.md'), 'utf8')
  const links = [...page.matchAll(/\]\((\.\.\/[^)#]+)\)/g)].map((match) => match[1]!)
  t.deepEqual(
    names.filter((name) => !links.includes(`../examples/${name}.ts`)),
    [],
  )
  t.true(links.length > names.length)
  t.deepEqual(
    links.filter((link) => !existsSync(join(root, 'docs', link))),
    [],
  )
})
