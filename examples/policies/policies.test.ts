import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkSet } from './check-set.ts'

const files = globSync('*/*.test.yaml', { cwd: import.meta.dirname }).toSorted()

test('every kind of rule has an example with tests', () => {
  assert.deepEqual(files.map(dirname), [
    'attributes',
    'context',
    'masks',
    'relationships',
    'roles',
    'sensitivity',
    'time',
  ])
})

for (const file of files) {
  test(`the policies of ${dirname(file)} decide as their tests say, by both engines, and none is without a test`, () =>
    checkSet(join(import.meta.dirname, file)))
}
