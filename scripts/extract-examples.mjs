// Writes the examples of docstrings (`@example`) and of the documentation (blocks of ```ts) as modules into
// __test__/generated, where they are type-checked and run like tests.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, '__test__', 'generated')
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })

const sources = readdirSync(join(root, 'ts'), { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(root, 'ts', name))
const documents = readdirSync(root)
  .concat(existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')).map((name) => join('docs', name)) : [])
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(root, name))

let count = 0
function write(file, line, code) {
  const name = `${relative(root, file)
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/-(ts|md)$/, '')}-${line}.ts`
  writeFileSync(join(target, name), `// ${basename(file)}:${line}\n${code}\nexport {}\n`)
  count++
}

for (const file of sources) {
  const lines = readFileSync(file, 'utf8').split('\n')
  for (let i = 0; i < lines.length; i++) {
    if (!/^\s*\* @example/.test(lines[i])) continue
    const start = lines.findIndex((line, j) => j > i && /^\s*\* ```ts/.test(line))
    const end = lines.findIndex((line, j) => j > start && /^\s*\* ```\s*$/.test(line))
    if (start !== i + 1 || end < 0) throw new Error(`${file}:${i + 1}: an @example is a block of \`\`\`ts`)
    write(
      file,
      i + 1,
      lines
        .slice(start + 1, end)
        .map((line) => line.replace(/^\s*\* ?/, ''))
        .join('\n'),
    )
  }
}
for (const file of documents) {
  const text = readFileSync(file, 'utf8')
  for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```/gm)) {
    // A block without imports is a fragment: shown, not run.
    if (/^import /m.test(match[1])) write(file, text.slice(0, match.index).split('\n').length, match[1])
  }
}
console.log(`${count} examples`)
