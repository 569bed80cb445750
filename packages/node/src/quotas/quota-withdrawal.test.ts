import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withdrawalOf } from './quota-withdrawal.ts'

const granted = { state: 'granted', decidedMs: 2_000, units: 400, untilMs: 9_000, note: 'for now' } as const

test('a grant is withdrawn at once where no end is given, or else ends earlier', () => {
  const withdrawn = { state: 'withdrawn', decidedMs: 3_000, units: 400, untilMs: 3_000, note: 'a mistake' }
  assert.deepEqual(withdrawalOf({ decision: granted }, { note: 'a mistake' }, 3_000), withdrawn)
  const shortened = { state: 'granted', decidedMs: 3_000, units: 400, untilMs: 5_000, note: undefined }
  assert.deepEqual(withdrawalOf({ decision: granted }, { untilMs: 5_000 }, 3_000), shortened)
})

test('a withdrawal never gives more, nor longer, and is the later decision whatever the clock does', () => {
  const order = fc.record({ untilMs: fc.option(fc.nat(12_000), { nil: undefined }) })
  fc.assert(
    fc.property(order, fc.nat(8_999), ({ untilMs }, nowMs) => {
      fc.pre(untilMs === undefined || (untilMs > nowMs && untilMs < granted.untilMs))
      const decision = withdrawalOf({ decision: granted }, { untilMs }, nowMs)
      assert.ok(decision.decidedMs > granted.decidedMs)
      assert.ok((decision.untilMs ?? Infinity) < granted.untilMs)
      assert.equal(decision.units, granted.units)
      assert.equal(decision.state === 'withdrawn', untilMs === undefined)
    }),
  )
})

test('what is no grant, is over, or would not end earlier is refused', () => {
  const refused = { ...granted, state: 'refused' } as const
  const withdrawn = { ...granted, state: 'withdrawn' } as const
  for (const decision of [undefined, refused, withdrawn])
    assert.throws(() => withdrawalOf({ decision }, {}, 3_000), { code: 'quota-request-state' })
  assert.throws(() => withdrawalOf({ decision: granted }, {}, 9_000), { code: 'quota-request-state' })
  for (const untilMs of [3_000, 9_000, 9_001])
    assert.throws(() => withdrawalOf({ decision: granted }, { untilMs }, 3_000), { code: 'quota-request-invalid' })
})
