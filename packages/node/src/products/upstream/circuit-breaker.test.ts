import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { afterCall, closedCircuit, decideCircuit, type CallOutcome, type Circuit } from './circuit-breaker.ts'

const settings = { failures: 3, openMs: 1_000, maxOpenMs: 3_000 }

/** Lets one call through and ends it; undefined when it was not let through. */
function call(circuit: Circuit, outcome: CallOutcome, now: number): Circuit | undefined {
  const verdict = decideCircuit(circuit, now)
  if (!verdict.allowed) return undefined
  return afterCall(verdict.circuit, { outcome, trial: verdict.trial }, { settings, now })
}

function after(outcomes: readonly CallOutcome[], now = 0): Circuit {
  return outcomes.reduce<Circuit>((circuit, outcome) => call(circuit, outcome, now) ?? circuit, closedCircuit)
}

test('opens after so many failures in a row, and says for how long', () => {
  const open = after(['failed', 'failed', 'failed'])
  assert.deepEqual(decideCircuit(open, 400), { allowed: false, retryAfterMs: 600 })
})

test('a success in between starts the count anew', () => {
  assert.equal(after(['failed', 'failed', 'succeeded', 'failed', 'failed']).state, 'closed')
})

test('callers that went away count neither way', () => {
  assert.equal(after(['failed', 'abandoned', 'failed', 'abandoned', 'failed']).state, 'open')
  assert.equal(after(Array<CallOutcome>(50).fill('abandoned')).state, 'closed')
})

test('lets one call try it when the time is over, and no second one beside it', () => {
  const verdict = decideCircuit(after(['failed', 'failed', 'failed']), 1_000)
  assert.ok(verdict.allowed && verdict.trial)
  assert.equal(decideCircuit(verdict.circuit, 1_001).allowed, false)
})

test('closes when the trial succeeds', () => {
  assert.deepEqual(call(after(['failed', 'failed', 'failed']), 'succeeded', 1_000), closedCircuit)
})

test('opens for twice as long when the trial fails, up to the most', () => {
  let circuit = after(['failed', 'failed', 'failed'])
  const waits: number[] = []
  for (let now = 1_000, round = 0; round < 4; round++) {
    circuit = call(circuit, 'failed', now) as Circuit
    const verdict = decideCircuit(circuit, now)
    waits.push(verdict.allowed ? 0 : verdict.retryAfterMs)
    now += verdict.allowed ? 0 : verdict.retryAfterMs
  }
  assert.deepEqual(waits, [2_000, 3_000, 3_000, 3_000])
})

test('a trial that was abandoned lets the next call try', () => {
  const circuit = call(after(['failed', 'failed', 'failed']), 'abandoned', 1_000) as Circuit
  assert.equal(decideCircuit(circuit, 1_000).allowed, true)
})

test('late endings of earlier calls neither close nor prolong an open circuit', () => {
  const open = after(['failed', 'failed', 'failed'])
  for (const outcome of ['failed', 'succeeded', 'abandoned'] as const) {
    assert.equal(afterCall(open, { outcome, trial: false }, { settings, now: 500 }), open)
  }
})

test('a clock set back does not keep it open for longer than it was meant to be', () => {
  const verdict = decideCircuit(after(['failed', 'failed', 'failed'], 1_000_000), 5)
  assert.ok(!verdict.allowed && verdict.retryAfterMs <= 1_000)
})

test('whatever happens, it lets a call through again within the longest wait', () => {
  const outcome = fc.constantFrom<CallOutcome>('failed', 'succeeded', 'abandoned')
  const property = fc.property(fc.array(fc.tuple(outcome, fc.nat(5_000)), { maxLength: 60 }), (calls) => {
    let circuit: Circuit = closedCircuit
    let now = 0
    for (const [ending, gap] of calls) {
      now += gap
      circuit = call(circuit, ending, now) ?? circuit
    }
    assert.equal(decideCircuit(circuit, now + settings.maxOpenMs).allowed, true)
  })
  fc.assert(property, { numRuns: 200 })
})
