/** Every threat in SECURITY.md names tests that guard against it, by file and by name, and those exist. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { securityParts } from '../security-parts.ts'
import { testNames, testNamesIn } from './test-names.ts'

interface Guard {
  readonly file: string
  /** Title of the link: the name of the test. */
  readonly name: string | undefined
}

/** A link to a test, or to tests that each store of a kind is held to, its title in either kind of quotes. */
const link = /\]\(([^)\s]+(?:\.test|-contract)\.ts)(?: (?:"([^"]*)"|'([^']*)'))?\)/g

/** Threats with the tests that their row names. */
function threats(page: string): { threat: string; guards: Guard[] }[] {
  return page
    .split('\n')
    .filter((line) => /^\| \*\*[STRIDE]\*\* /.test(line))
    .map((line) => ({
      threat: line.split('|')[1]?.trim() ?? '',
      guards: [...line.matchAll(link)].map(([, file = '', double, single]) => ({ file, name: double ?? single })),
    }))
}

function isThere({ file, name }: Guard): boolean {
  if (!existsSync(file)) return false
  return name === undefined || testNames(file).some((known) => known.matches(name) || known.name === name)
}

/** Those that name no test, or one that is not there. */
function unguarded(page: string): string[] {
  return threats(page).flatMap(({ threat, guards }) => {
    const lost = guards.filter((guard) => !isThere(guard)).map(({ file, name }) => `${threat}: ${file} ${name ?? ''}`)
    return guards.some(({ name }) => name !== undefined) ? lost : [`${threat}: no test by name`, ...lost]
  })
}

test('every threat in SECURITY.md names the tests that guard against it', () => {
  const page = readFileSync('SECURITY.md', 'utf8')
  assert.deepEqual(unguarded(page), [])
  assert.ok(threats(page).length >= 150)
  const own = 'scripts/docs/security-page.test.ts'
  const faulty = ['none', '[x](no/such.test.ts "a")', `[x](${own})`, `[x](${own} "no such test")`]
  for (const guard of faulty) assert.notDeepEqual(unguarded(`| **S** a ghost | none | ${guard} |`), [], guard)
  const good = `| **S** a | b | [x](${own} "every threat in SECURITY.md names the tests that guard against it") |`
  assert.deepEqual(unguarded(good), [])
})

test('every part of the security suite guards against some threat', () => {
  const files = new Set(
    threats(readFileSync('SECURITY.md', 'utf8')).flatMap(({ guards }) => guards.map(({ file }) => file)),
  )
  const idle = securityParts.filter((part) => !files.has(`packages/node/tests/security/${part}.security.test.ts`))
  assert.deepEqual(idle, [])
})

test('names of tests are read as they are written, and what a template puts in may be anything', () => {
  const source = "test('a', x)\ndescribe(\"b's\", y)\n test(\n  `c ${name}: d`,\n)\n it('e\\'f')\n test(name, z)"
  const names = testNamesIn(source)
  assert.deepEqual(
    names.map(({ name }) => name),
    ['a', "b's", 'c …: d', "e'f"],
  )
  assert.ok(names[2]?.matches('c 1: d') && !names[2].matches('c : d') && !names[2].matches('x c 1: d'))
})
