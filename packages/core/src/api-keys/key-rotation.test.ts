import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import {
  beginDraining,
  beginOverlap,
  completeRotation,
  decideRotation,
  hasMoved,
  isHeldUp,
  isRunning,
  nameSuccessor,
  prepareRotation,
  rollBackRotation,
  rotationFields,
  rotationStates,
  worksUnder,
  type KeyRotation,
  type RotationPlan,
} from './key-rotation.ts'

const named = { id: 'r1', client: 'c1', from: 'old00000', to: 'new00000' }
const plan: RotationPlan = {
  overlapFromMs: 1_000,
  drainFromMs: 5_000,
  sunsetMs: 9_000,
  retire: 'scheduled',
  quietSeconds: 2,
}
const prepared = prepareRotation(named, plan, 500)
const refused = (error: unknown) => error instanceof Problem && error.code === 'key-rotation-refused'
const at = (nowMs: number, fromUsedMs?: number, toUsedMs?: number) => ({
  nowMs,
  fromUsedMs,
  toUsedMs,
  isSucceeded: true,
})

test('refuses a plan whose times are not in order, or are over', () => {
  for (const wrong of [
    { overlapFromMs: 6_000 },
    { drainFromMs: 9_001 },
    { sunsetMs: 4_000 },
    { overlapFromMs: 9_000, drainFromMs: 9_000 },
  ])
    assert.throws(() => prepareRotation(named, { ...plan, ...wrong }, 0), refused)
  assert.throws(() => prepareRotation(named, plan, 9_000), refused)
  assert.throws(() => prepareRotation(named, { ...plan, sunsetMs: Number.NaN }, 0), refused)
})

test('on schedule each state comes at its time and no millisecond before', () => {
  assert.equal(decideRotation(prepared, at(999)), undefined)
  assert.equal(decideRotation(prepared, at(1_000)), 'overlapping')
  const overlapping = beginOverlap(prepared, 1_000)
  assert.equal(decideRotation(overlapping, at(4_999)), undefined)
  assert.equal(decideRotation(overlapping, at(5_000)), 'draining')
  const draining = beginDraining(overlapping)
  assert.equal(decideRotation(draining, at(8_999)), undefined)
  assert.equal(decideRotation(draining, at(9_000, 8_999)), 'completed')
  assert.equal(decideRotation(completeRotation(draining, 9_000), at(99_000)), undefined)
})

test('a rotation that waits for the traffic ends when the successor is used and the old key is quiet, not before the sunset', () => {
  const late = beginDraining(beginOverlap({ ...prepared, retire: 'when-moved' }, 1_000))
  assert.equal(decideRotation(late, at(8_999, 1_001, 3_000)), undefined, 'answers promised it until then')
  assert.equal(decideRotation(late, at(9_000, 1_001, 3_000)), 'completed')
  assert.equal(decideRotation(late, at(9_000, 20, 3_000)), 'completed', 'quiet since the overlap began')
  assert.equal(decideRotation(late, at(9_000)), undefined, 'nobody has used the successor')
  assert.equal(decideRotation(late, at(9_000, 7_001, 3_000)), undefined, 'used 1.999 s ago')
  assert.equal(decideRotation(late, at(9_000, 7_000, 3_000)), 'completed')
  assert.equal(decideRotation(late, at(99_000, 98_999, 98_000)), undefined, 'somebody still uses the old key')
  assert.equal(decideRotation(late, at(99_000)), undefined, 'the client has not moved')
  assert.equal(hasMoved(late, at(2_999, undefined, 2_000)), false)
})

test('the overlap is as long as planned, also when it begins late, and longer when it begins early', () => {
  const late = beginOverlap(prepared, 3_000)
  assert.deepEqual([late.overlapFromMs, late.drainFromMs, late.sunsetMs], [3_000, 7_000, 11_000])
  const early = beginOverlap(prepared, 600)
  assert.deepEqual([early.overlapFromMs, early.drainFromMs, early.sunsetMs], [600, 5_000, 9_000])
})

test('an old key never ends before its successor works, and that it is held up is told from the draining on', () => {
  const unclaimed = beginOverlap({ ...prepared, to: undefined }, 1_000)
  for (const nowMs of [8_999, 9_000]) assert.throws(() => completeRotation(unclaimed, nowMs), refused)
  assert.equal(completeRotation(nameSuccessor(unclaimed, 'new00000'), 2_000).state, 'completed')
  const draining = beginDraining(unclaimed)
  const without = (nowMs: number) => ({ ...at(nowMs), isSucceeded: false })
  assert.equal(decideRotation(draining, without(99_000)), undefined)
  assert.deepEqual(
    [4_999, 5_000, 99_000].map((nowMs) => isHeldUp(draining, without(nowMs))),
    [false, true, true],
  )
  assert.equal(isHeldUp(draining, at(99_000)), false)
  const moving = { ...draining, retire: 'when-moved' } as const
  assert.equal(isHeldUp(moving, without(99_000)), false, 'nobody was promised an end')
  assert.equal(isHeldUp(moving, { ...without(99_000), toUsedMs: 6_000 }), true, 'all have moved')
  assert.equal(isHeldUp(prepared, without(99_000)), false)
})

test('answers tell of the end while both keys work, and not before or after', () => {
  const url = 'https://holder.example/keys/renewal'
  assert.deepEqual(rotationFields(prepared, url), [])
  const overlapping = beginOverlap(prepared, 1_500)
  assert.deepEqual(rotationFields({ ...overlapping, sunsetMs: 1_790_000_000_000 }, url), [
    'deprecation',
    '@1',
    'sunset',
    'Mon, 21 Sep 2026 14:13:20 GMT',
    'link',
    '<https://holder.example/keys/renewal>; rel="urn:comity:rel:key-renewal"; key="old00000"; deprecation="@1"; sunset="@1790000000"',
  ])
  assert.equal(rotationFields(beginDraining(overlapping), url).length, 6)
  assert.deepEqual(rotationFields(completeRotation(overlapping, 2_000), url), [])
  assert.deepEqual(rotationFields(rollBackRotation(overlapping, 2_000), url), [])
})

type Event = { readonly what: 'begin' | 'drain' | 'complete' | 'roll-back' | 'claim' | 'tick'; readonly nowMs: number }
const events: fc.Arbitrary<Event> = fc.record({
  what: fc.constantFrom('begin', 'drain', 'complete', 'roll-back', 'claim', 'tick'),
  // Clocks jump: no order is promised.
  nowMs: fc.nat(20_000),
})

function take(rotation: KeyRotation, { what, nowMs }: Event): KeyRotation {
  const due = decideRotation(rotation, at(nowMs, nowMs - 2_500, nowMs))
  const wanted = what === 'tick' ? due : what
  if (wanted === 'begin' || wanted === 'overlapping') return beginOverlap(rotation, nowMs)
  if (wanted === 'drain' || wanted === 'draining') return beginDraining(rotation)
  if (wanted === 'complete' || wanted === 'completed') return completeRotation(rotation, nowMs)
  if (wanted === 'roll-back') return rollBackRotation(rotation, nowMs)
  return wanted === 'claim' ? nameSuccessor(rotation, 'new00001') : rotation
}

function attempt(rotation: KeyRotation, event: Event): KeyRotation {
  try {
    return take(rotation, event)
  } catch (error) {
    assert.ok(refused(error))
    return rotation
  }
}

test('whatever happens in whatever order: states go forward, what ended stays ended, one key at least works', () => {
  const starts = fc.record({
    retire: fc.constantFrom('scheduled' as const, 'when-moved' as const),
    to: fc.constantFrom('new00000', undefined),
  })
  fc.assert(
    fc.property(starts, fc.array(events, { maxLength: 30 }), (start, list) => {
      let rotation: KeyRotation = { ...prepared, ...start }
      for (const event of list) {
        const after = attempt(rotation, event)
        assert.ok(rotationStates.indexOf(after.state) >= rotationStates.indexOf(rotation.state))
        if (!isRunning(rotation)) assert.deepEqual(after, rotation)
        if (isRunning(rotation) && !isRunning(after)) assert.equal(after.endedMs, event.nowMs)
        const { from, to } = worksUnder(after.state)
        assert.ok(from || to)
        if (!to) assert.ok(['prepared', 'rolled-back'].includes(after.state))
        assert.ok(after.sunsetMs - after.overlapFromMs >= plan.sunsetMs - plan.overlapFromMs)
        rotation = after
      }
    }),
    { numRuns: 200 },
  )
})

test('a tick never does what the state does not allow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20_000), { maxLength: 20 }), (times) => {
      times.reduce<KeyRotation>((rotation, nowMs) => take(rotation, { what: 'tick', nowMs }), prepared)
    }),
    { numRuns: 200 },
  )
})
