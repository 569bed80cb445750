import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkFreshness, nonceForgettableAt } from './freshness.ts'

const created = 1_718_000_000
const window = { created, expires: created + 60 }
const at = (seconds: number) => (created + seconds) * 1000

function verdict(nowMs: number, limits = {}): string {
  const result = checkFreshness(window, nowMs, limits)
  return result.fresh ? 'fresh' : result.reason
}

test('a request is fresh from 30 s before it was created until 30 s after it expires, both included', () => {
  assert.equal(verdict(at(-30) - 1), 'not-yet')
  assert.equal(verdict(at(-30)), 'fresh')
  assert.equal(verdict(at(0)), 'fresh')
  assert.equal(verdict(at(90)), 'fresh')
  assert.equal(verdict(at(90) + 1), 'expired')
})

test('a request is too old for a node that allows less than it says of itself', () => {
  assert.equal(verdict(at(41), { skewSeconds: 0, maxAgeSeconds: 40 }), 'too-old')
  assert.equal(verdict(at(40), { skewSeconds: 0, maxAgeSeconds: 40 }), 'fresh')
})

test('says by how much', () => {
  const result = checkFreshness(window, at(-100))
  assert.equal(!result.fresh && result.detail, 'the request was created 100 s in the future')
})

test('a nonce is remembered for as long as any copy of its request could be fresh', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 120 }), (lifetime, skewSeconds) => {
      const times = { created, expires: created + lifetime }
      const forgotten = nonceForgettableAt(times.expires, { skewSeconds }) * 1000
      assert.equal(checkFreshness(times, forgotten, { skewSeconds }).fresh, false)
    }),
  )
})
