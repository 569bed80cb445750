/** Every threat in SECURITY.md names tests that guard against it, and those exist. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Threats with the tests that their row names. */
function threats(page: string): { threat: string; tests: string[] }[] {
  return page
    .split('\n')
    .filter((line) => /^\| \*\*[STRIDE]\*\* /.test(line))
    .map((line) => ({
      threat: line.split('|')[1]?.trim() ?? '',
      tests: [...line.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map((match) => match[1] ?? ''),
    }))
}

/** Those that name no test, or one that is not there. */
function unguarded(page: string): string[] {
  return threats(page)
    .filter(({ tests }) => tests.length === 0 || !tests.every((file) => existsSync(file)))
    .map(({ threat }) => threat)
}

test('every threat in SECURITY.md names the tests that guard against it', () => {
  const page = readFileSync('SECURITY.md', 'utf8')
  assert.deepEqual(unguarded(page), [])
  assert.ok(threats(page).length >= 80)
  assert.deepEqual(unguarded('| **S** a ghost | none | |'), ['**S** a ghost'])
  assert.deepEqual(unguarded('| **S** a ghost | none | [x](no/such.test.ts) |'), ['**S** a ghost'])
})
