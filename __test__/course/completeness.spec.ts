// No vector and no gradient check of the course is left out.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { courseIds, gradientCheckIds } from '../helpers/course.js'

const folder = fileURLToPath(new URL('../../__test__/', import.meta.url))
const specs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.spec.ts') && !name.endsWith('completeness.spec.ts'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
const register = courseIds.length === 0 ? test.skip : test

register('every vector is tested', (t) => {
  t.is(courseIds.length, 27)
  const named = specs.filter((source) => source.includes('testCourse('))
  t.deepEqual(
    courseIds.filter((id) => !named.some((source) => source.includes(`'${id}'`))),
    [],
  )
})

register('every gradient check is made', (t) => {
  t.is(gradientCheckIds.length, 12)
  const made = specs.filter((source) => source.includes('new NumpyRandom(231)'))
  t.deepEqual(
    gradientCheckIds.filter((id) => !made.some((source) => new RegExp(`\\b${id}\\b`).test(source))),
    [],
  )
})
