import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiKey } from '@comity/core/api-keys/api-key'
import fc from 'fast-check'
import { claimed, formatKeyRing, keysOf, merged, parseKeyRing, using, type KeyRing } from './key-ring.ts'

const keyOf = (number: number) =>
  formatApiKey({ environment: 'live', id: String(number).padStart(8, '0'), secret: 'S'.repeat(32) })
const [a, b, c, d, e] = [keyOf(1), keyOf(2), keyOf(3), keyOf(4), keyOf(5)]
const key = fc.nat({ max: 12 }).map(keyOf)
const ring = fc
  .record({ current: key, next: fc.array(key, { maxLength: 6 }), old: fc.array(key, { maxLength: 4 }) })
  .map(({ current, next, old }) => merged({ current, next: [], old: [] }, { current, next, old }))

test('a key alone is a ring, and so is what an operator wrote below it', () => {
  assert.deepEqual(parseKeyRing(a), { current: a, next: [], old: [] })
  assert.deepEqual(parseKeyRing(` ${a}\r\n${b}\n`), { current: a, next: [b], old: [] })
  assert.equal(formatKeyRing(parseKeyRing(`old=${c} ${a} next=${b}`)), `${a} next=${b} old=${c}`)
})

test('what is written is read again, each key once', () => {
  const property = fc.property(ring, (one) => {
    assert.deepEqual(parseKeyRing(formatKeyRing(one)), one)
    const keys = keysOf(one)
    assert.equal(new Set(keys).size, keys.length)
    assert.ok(keys.length <= 1 + 4 + 2)
  })
  fc.assert(property, { numRuns: 200 })
})

test('refuses what holds no key, and says nothing of what it holds', () => {
  for (const text of ['', ' \n', `next=${a}`, `${a} planted`, `${a} last=${b}`, `${a.slice(0, -1)}!`, '{"key":1}']) {
    const isQuiet = ({ code, message }: { code?: string; message: string }) =>
      code === 'invalid-call' && !/planted|cmty_|last/.test(message)
    assert.throws(() => parseKeyRing(text), isQuiet, text)
  }
})

test('moving on keeps the old key, going back keeps the one that did not work', () => {
  const moved = using(claimed(parseKeyRing(a), b), b)
  assert.equal(formatKeyRing(moved), `${b} old=${a}`)
  assert.equal(formatKeyRing(using(moved, a)), `${a} next=${b}`)
  assert.equal(formatKeyRing(using(moved, a, { ended: new Set([b]) })), a, 'unless it ended for good')
})

test('no key is lost by what others kept, and none that was left comes before the one in use', () => {
  const property = fc.property(ring, ring, (own, stored) => {
    const both: KeyRing = merged(own, stored)
    assert.equal(both.current, own.current)
    if (keysOf(own).length + keysOf(stored).length <= 4) {
      assert.ok([...keysOf(own), stored.current].every((one) => keysOf(both).includes(one)))
    }
    assert.ok(own.old.every((one) => !both.next.includes(one) || own.next.includes(one)))
  })
  fc.assert(property, { numRuns: 200 })
})

test('who slept over a rotation drops no key that a roll-back makes good again', () => {
  const stored = parseKeyRing(`${d} old=${c} old=${b}`)
  const late = using(merged(parseKeyRing(`${b} old=${a} old=${e}`), stored), d, { ended: new Set(), stored })
  assert.equal(formatKeyRing(late), formatKeyRing(stored), 'nor does it write another order')
  const later = using(merged(parseKeyRing(`${a} old=${e}`), stored), d, { ended: new Set(), stored })
  assert.equal(formatKeyRing(later), formatKeyRing(stored))
  const first = merged(parseKeyRing(`${d} old=${c} old=${b}`), parseKeyRing(`${b} old=${a} old=${e}`))
  assert.equal(formatKeyRing(first), formatKeyRing(stored), 'who has come further knows better')
  const ended = merged(parseKeyRing(d), parseKeyRing(`${d} old=${a} old=${b} old=${c}`), new Set([a]))
  assert.deepEqual(ended.old, [b], 'of what was read')
  const both = merged(parseKeyRing(`${d} old=${a} old=${c}`), parseKeyRing(`${d} old=${b} old=${a}`), new Set([a]))
  assert.deepEqual(both.old, [b, c], 'what has ended takes no room')
})

test('who knows the same keys in another order takes the order that is kept', () => {
  const property = fc.property(ring, (stored) => {
    const own = { ...stored, next: stored.next.toReversed(), old: stored.old.toReversed() }
    assert.equal(formatKeyRing(merged(own, stored)), formatKeyRing(stored))
  })
  fc.assert(property, { numRuns: 200 })
})

test('a key that was just got is not pushed out by those that others keep', () => {
  const own = claimed(parseKeyRing(a), b)
  const stored = parseKeyRing(`${c} ${[5, 6, 7, 8].map((number) => `next=${keyOf(number)}`).join(' ')}`)
  assert.ok(merged(own, stored).next.includes(b))
})
