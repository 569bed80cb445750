import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareEngines, expectedOperators } from './test-comparison.ts'

test('the compiled engine decides 2,000 made-up requests as Cedar does, errors included', () => {
  const seen = compareEngines({ sets: 400, requestsOfEach: 5 })
  assert.equal(seen.cases, 2_000)
  // What follows says that the cases were worth something; each is far from what is usual (a third, a half, …).
  const missing = expectedOperators.filter((operator) => !seen.operators.has(operator))
  assert.ok(missing.length <= 3, `not among them: ${missing.join(', ')}`)
  for (const name of ['allowed', 'denied', 'forbidden', 'withErrors'] as const)
    assert.ok(seen[name] > 200, `${name}: ${seen[name]}`)
})
