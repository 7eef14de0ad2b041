// Runs the examples of docstrings and documentation, which scripts/extract-examples.mjs collects, and compares what
// they print with the comment behind each `console.log(…) // expected`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { format } from 'node:util'
import test from 'ava'

const folder = new URL('./generated/', import.meta.url)
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.js')) : []

test('there are examples', (t) => {
  t.true(files.length > 0, 'run scripts/extract-examples.mjs before compiling the tests')
})

for (const file of files) {
  test.serial(`example ${file.replace(/\.js$/, '')}`, async (t) => {
    const url = new URL(file, folder)
    const expected = [...readFileSync(url, 'utf8').matchAll(/^\s*console\.log\(.*\);? \/\/ (.*)$/gm)].map((m) => m[1]!)
    const printed: string[] = []
    const { log } = console
    console.log = (...values: unknown[]) => printed.push(...format(...values).split('\n'))
    try {
      await import(url.href)
    } finally {
      console.log = log
    }
    t.pass()
    let from = 0
    for (const line of expected) {
      const at = printed.indexOf(line, from)
      t.true(at >= 0, `expected to print: ${line}\nprinted:\n${printed.slice(from).join('\n')}`)
      from = at + 1
    }
  })
}
