/** Holds a set of policies against the tests that lie beside it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { cedarEngine } from '@comity/node/policy/engine/cedar-engine'
import { compiledEngine } from '@comity/node/policy/engine/compiled-engine'
import { readPolicyFiles } from '@comity/node/policy/sets/policy-files'
import { parsePolicyTests } from '@comity/node/policy/testing/policy-test-file'
import { runPolicyTests } from '@comity/node/policy/testing/policy-tests'
import { prepareSet } from '@comity/node/policy/sets/prepare-set'
import { parse } from 'yaml'

/** Throws unless the policies in the folder of the file of tests have no warning, decide as the tests say by both engines,
 *  and each decides in one of them at least. */
export async function checkSet(testFile: string): Promise<void> {
  const answer = await prepareSet(await readPolicyFiles(dirname(testFile)))
  if (!answer.ok) assert.fail(answer.faults.map(({ message }) => message).join('; '))
  assert.deepEqual(answer.set.warnings, [])
  const tests = parsePolicyTests(parse(readFileSync(testFile, 'utf8')), testFile)
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
}
