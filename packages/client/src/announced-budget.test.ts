import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideGcra, type GcraState } from '@comity/core/limits/gcra'
import { rateLimitItem, rateLimitPolicyItem } from '@comity/core/limits/rate-limit-fields'
import fc from 'fast-check'
import { heldBackMs, readBudget, readSlots, spend, waitMs, type Budget } from './announced-budget.ts'

const at = 1_700_000_000_000

function budgetOf(policy: string | null, rateLimit: string | null, underWay = 0): Budget {
  return readBudget({ policy, rateLimit, underWay }, at) ?? []
}

test('nothing announced holds nobody back', () => {
  assert.equal(readBudget({ policy: null, rateLimit: null, underWay: 3 }, at), undefined)
  assert.equal(readBudget({ policy: '"a";q=1', rateLimit: 'garbage;;', underWay: 3 }, at), undefined)
  assert.equal(waitMs([], at), 0)
})

test('spends what is left at once, then waits for the announced time', () => {
  let budget = budgetOf('"r";q=60;w=60', '"r";r=2;t=5')
  budget = spend(spend(budget, at), at)
  assert.equal(waitMs(budget, at), 5_000)
  assert.equal(waitMs(budget, at + 4_999), 1)
  assert.equal(waitMs(budget, at + 5_000), 0)
  assert.equal(waitMs(spend(budget, at + 5_000), at + 5_000), 1_000)
})

test('after a long rest no more is sent at once than the announced burst', () => {
  const later = at + 3_600_000
  let budget = budgetOf('"r";q=60;w=60;comity-burst=3', '"r";r=1;t=1')
  for (let calls = 0; calls < 3; calls += 1) {
    assert.equal(waitMs(budget, later), 0)
    budget = spend(budget, later)
  }
  assert.equal(waitMs(budget, later), 1_000)
})

test('counts the calls under way as not yet counted', () => {
  assert.equal(waitMs(budgetOf('"r";q=10;w=10', '"r";r=3;t=1', 3), at), 1_000)
  assert.equal(waitMs(budgetOf('"r";q=10;w=10', '"r";r=4;t=1', 3), at), 0)
})

test('the strictest of several limits decides', () => {
  const budget = budgetOf('"s";q=10;w=1, "h";q=100;w=3600', '"s";r=9;t=1, "h";r=0;t=36')
  assert.equal(waitMs(budget, at), 36_000)
})

test('leaves limits of other units to the node', () => {
  assert.equal(
    readBudget({ policy: '"b";q=9;w=1;qu="content-bytes"', rateLimit: '"b";r=0;t=9', underWay: 0 }, at),
    undefined,
  )
})

test('slots are no requests: they bound what is under way, never when', () => {
  const policy = '"at-once";q=3;qu="concurrent-requests"'
  const rateLimit = '"at-once";r=0'
  assert.equal(readBudget({ policy, rateLimit, underWay: 0 }, at), undefined)
  assert.equal(readSlots({ policy, rateLimit, underWay: 2 }), 2, 'one more is taken by somebody else')
  assert.equal(readSlots({ policy, rateLimit: '"at-once";r=2', underWay: 1 }), 3)
  assert.equal(readSlots({ policy, rateLimit: '"at-once";r=3', underWay: 4 }), 3, 'no more than there are')
  assert.equal(readSlots({ policy, rateLimit, underWay: 0 }), 1, 'somebody must ask when that changes')
  assert.equal(readSlots({ policy: `${policy}, "r";q=9;w=1`, rateLimit: '"r";r=1', underWay: 1 }), undefined)
  const several = { policy: `${policy}, "b";q=9;qu="concurrent-requests"`, rateLimit: '"at-once";r=1, "b";r=0' }
  assert.equal(readSlots({ ...several, underWay: 1 }), 1, 'the fewest count')
  assert.equal(
    readSlots({ policy: `${policy};pk=:YQ==:`, rateLimit: `${rateLimit};pk=:YQ==:`, underWay: 1 }),
    undefined,
  )
})

test('a limit of one operation or person holds the others back for seconds at most', () => {
  const [policy, rateLimit] = ['"daily";q=10;w=86400;pk=:YQ==:', '"daily";r=0;t=80000;pk=:YQ==:']
  const budget = budgetOf(policy, rateLimit)
  assert.equal(waitMs(budget, at), 5_000)
  assert.equal(waitMs(spend(budget, at + 5_000), at + 5_000), 5_000)
  assert.equal(
    waitMs(budgetOf('"r";q=60;w=60;pk=:YQ==:', '"r";r=0;t=1;pk=:YQ==:'), at),
    1_000,
    'a short one as announced',
  )
  assert.equal(heldBackMs(80_000_000, rateLimit, ['daily']), 5_000)
  assert.equal(heldBackMs(80_000_000, `${rateLimit}, "all";r=0;t=9`, ['daily', 'all']), 80_000_000)
  for (const violated of [undefined, [], ['other'], 'daily']) {
    assert.equal(heldBackMs(80_000_000, rateLimit, violated), 80_000_000)
  }
})

test('a limit without a policy, and one of zero, still end some time', () => {
  assert.equal(waitMs(budgetOf(null, '"r";r=0;t=3'), at), 3_000)
  assert.equal(waitMs(budgetOf(null, '"r";r=0'), at), 1_000)
  assert.ok(waitMs(budgetOf('"r";q=0;w=1', '"r";r=0'), at) <= 60_000)
  assert.ok(waitMs(budgetOf('"r";q=5;w=1', '"r";r=0;t=999999999999999'), at) <= 24 * 3_600_000)
})

/** The node's own limiter, announcing as the node does. */
function limiter(limit: number, seconds: number) {
  let state: GcraState | undefined
  return (nowMs: number) => {
    const verdict = decideGcra(state, { limit, periodMs: seconds * 1_000 }, nowMs)
    state = verdict.state
    const moreIn = Math.ceil((verdict.allowed ? verdict.nextUnitMs : verdict.retryAfterMs) / 1_000)
    return {
      allowed: verdict.allowed,
      policy: rateLimitPolicyItem('r', limit, seconds),
      rateLimit: rateLimitItem('r', verdict.remaining, moreIn),
    }
  }
}

test('a lone client that keeps to its budget is never refused by the node, and is not held back for ever', () => {
  const arbitrary = [
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 100 }),
    fc.array(fc.nat(3_000), { minLength: 60, maxLength: 60 }),
  ] as const
  fc.assert(
    fc.property(...arbitrary, (limit, seconds, pauses) => {
      const ask = limiter(limit, seconds)
      let budget: Budget = []
      let nowMs = at
      for (const pause of pauses) {
        nowMs += pause
        const wait = waitMs(budget, nowMs)
        assert.ok(
          wait <= (seconds * 1_000) / limit + 1_001,
          `waits ${wait} ms for a call every ${(seconds * 1_000) / limit} ms`,
        )
        nowMs += wait
        const { allowed, policy, rateLimit } = ask(nowMs)
        assert.ok(allowed)
        budget = readBudget({ policy, rateLimit, underWay: 0 }, nowMs) ?? []
      }
    }),
    { numRuns: 200 },
  )
})
