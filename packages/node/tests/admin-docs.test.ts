/** `docs/operating/admin-api.md` has every route of the admin API, and commands that there are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { declaredRoutes } from './admin-answers.ts'

const read = (path: string) => readFileSync(new URL(`../../../docs/operating/${path}`, import.meta.url), 'utf8')
const rows = read('admin-api.md')
  .split('\n')
  .filter((line) => /^\| `(?:GET|POST|PATCH|DELETE) /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))

test('the page on the admin API has every route, and no other', () => {
  const listed = rows.flatMap(([, cell = '']) =>
    [...cell.matchAll(/`((?:GET|POST|PATCH|DELETE) [^`]+)`/g)].map(([, one]) => one),
  )
  const routes = declaredRoutes.map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(listed.toSorted(), routes.toSorted())
})

test('each command that the page names is one', () => {
  const cli = read('cli.md')
  const named = rows.flatMap(([, , , cell = '']) => [...cell.matchAll(/`([\w-]+ [\w-]+)/g)].map(([, one = '']) => one))
  for (const command of named) assert.ok(cli.includes(`\n## \`comity ${command}`), command)
  assert.ok(named.length > 30)
})
