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

/** `policy put` and so on, in the order of the reference of the command. */
const commands = read('cli.md')
  .split('\n')
  .flatMap((line) => /^## `comity ([a-z][\w-]*(?: [a-z][\w-]*)*)/.exec(line)?.[1] ?? [])

test('every command is a call of the API, or is named among those that do without a node', () => {
  const [, local = ''] = /## What is not here\n\n[^]*?API:\s([^]*?)\.\sAll\selse/.exec(read('admin-api.md')) ?? []
  const alone = [...local.matchAll(/`([\w -]+)`/g)].map(([, one = '']) => one)
  const cells = rows.map(([, , , cell = '']) => [...cell.matchAll(/`([\w -]+)`/g)].map(([, one = '']) => one))
  const called = cells.flatMap(([first = '', ...others]) => {
    const group = first.slice(0, first.lastIndexOf(' '))
    return [first, ...others.map((other) => (other.includes(' ') ? other : `${group} ${other}`))]
  })
  const isAlone = (command: string) => alone.includes(command) || alone.includes(command.split(' ')[0] ?? '')
  const forgotten = commands.filter((command) => !called.includes(command) && !isAlone(command))
  assert.deepEqual(forgotten, [])
  assert.deepEqual(
    alone.filter((name) => called.includes(name)),
    [],
  )
  assert.ok(commands.length > 90)
})

test('each command that the page names is one', () => {
  const cli = read('cli.md')
  const named = rows.flatMap(([, , , cell = '']) => [...cell.matchAll(/`([\w-]+ [\w-]+)/g)].map(([, one = '']) => one))
  for (const command of named) assert.ok(cli.includes(`\n## \`comity ${command}`), command)
  assert.ok(named.length > 30)
})
