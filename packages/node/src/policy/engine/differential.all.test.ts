import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareEngines, expectedOperators } from './test-comparison.ts'

test('the compiled engine decides 150,000 made-up requests as Cedar does, errors included', () => {
  const seen = compareEngines({ sets: 30_000, requestsOfEach: 5 })
  assert.equal(seen.cases, 150_000)
  assert.deepEqual(
    expectedOperators.filter((operator) => !seen.operators.has(operator)),
    [],
  )
  const messages = [
    'integer overflow',
    'the entity does not have the attribute',
    'the entity does not have the tag',
    'the record does not have the attribute',
    'the text given to',
    'type error',
  ]
  assert.deepEqual(
    messages.filter((message) => ![...seen.errors].some((error) => error.startsWith(message))),
    [],
    'every kind of error was among them',
  )
  for (const name of ['allowed', 'denied', 'forbidden', 'withErrors'] as const)
    assert.ok(seen[name] > 15_000, `${name}: ${seen[name]}`)
})
