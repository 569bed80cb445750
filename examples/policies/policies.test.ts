import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cedarEngine } from '@comity/node/policy/engine/cedar-engine'
import { compiledEngine } from '@comity/node/policy/engine/compiled-engine'
import { readPolicyFiles } from '@comity/node/policy/policy-files'
import { parsePolicyTests } from '@comity/node/policy/policy-test-file'
import { runPolicyTests } from '@comity/node/policy/policy-tests'
import { prepareSet } from '@comity/node/policy/prepare-set'
import { parse } from 'yaml'

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
  const folder = join(import.meta.dirname, dirname(file))

  test(`the policies of ${dirname(file)} decide as their tests say, by both engines, and none is without a test`, async () => {
    const answer = await prepareSet(await readPolicyFiles(folder))
    if (!answer.ok) assert.fail(answer.faults.map(({ message }) => message).join('; '))
    assert.deepEqual(answer.set.warnings, [])
    const tests = parsePolicyTests(parse(readFileSync(join(import.meta.dirname, file), 'utf8')), file)
    for (const engine of [compiledEngine(answer.set), cedarEngine(answer.set)]) {
      const results = runPolicyTests(tests, answer.set, engine)
      assert.deepEqual(
        results.filter(({ differences }) => differences.length > 0),
        [],
      )
      const deciding = new Set(results.flatMap(({ verdict }) => verdict.policies))
      assert.deepEqual(
        answer.set.policies.filter(({ id }) => !deciding.has(id)).map(({ id }) => id),
        [],
      )
    }
  })
}
