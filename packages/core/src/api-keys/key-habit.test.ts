import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { habitHours, isUnusualPlace, unusualFrom } from './key-habit.ts'

const dayMs = 86_400_000

/** Numbers in [0, 1) that look random and are the same each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Calls of an hour with this mean: Poisson, by its normal approximation where that is good. */
function poisson(mean: number, random: () => number): number {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
  }
  let [count, term, left] = [0, 1, Math.exp(mean) * random()]
  while (left > term && count < 1_000) {
    left -= term
    term *= mean / ++count
  }
  return count
}

/** Mean calls by hour of the week, for clients as they are. */
const profiles: Readonly<Record<string, (hour: number) => number>> = {
  steady: () => 400,
  'office hours': (hour) => (hour % 24 >= 8 && hour % 24 < 18 && Math.floor(hour / 24) % 7 < 5 ? 900 : 5),
  'day and night': (hour) => 1_000 * (1.1 + Math.sin(((hour % 24) / 24) * 2 * Math.PI)),
  'nightly batch': (hour) => (hour % 24 === 2 ? 20_000 : 0),
  'weekly batch': (hour) => (hour % 168 === 30 ? 50_000 : 2),
  'hardly used': (hour) => (hour % 24 === 9 ? 3 : 0.1),
}

const simulate = (mean: (hour: number) => number, hours: number, seed: number) => {
  const random = randomFrom(seed)
  return Array.from({ length: hours }, (_, hour) => poisson(mean(hour), random))
}

test('on four weeks of each kind of traffic, 20 keys each, at most one hour in 10,000 is reported though nothing happened', () => {
  let [judged, reported] = [0, 0]
  for (const mean of Object.values(profiles)) {
    for (let seed = 1; seed <= 20; seed++) {
      const counts = simulate(mean, habitHours, seed)
      // Each fourth hour, to be quick; 4 and 168 have a phase in common, so it is another one for each key.
      for (let hour = 168 + (seed % 4); hour < counts.length; hour += 4) {
        judged++
        if ((counts[hour] ?? 0) >= (unusualFrom(counts.slice(0, hour)) ?? Infinity)) reported++
      }
    }
  }
  assert.ok(judged > 15_000)
  assert.ok(reported / judged <= 1 / 10_000, `${reported} of ${judged}`)
})

test('an hour with four times the calls of the busiest is reported, for every kind of traffic', () => {
  for (const [name, mean] of Object.entries(profiles)) {
    const counts = simulate(mean, habitHours, 7)
    const from = unusualFrom(counts) ?? Infinity
    assert.ok(Math.max(...counts) * 4 + 100 >= from, `${name}: from ${from}`)
  }
})

test('one unusual hour among the known ones does not hide one of the same size four weeks later', () => {
  const counts = simulate(() => 400, habitHours, 3)
  const spoiled = counts.with(100, 50_000)
  assert.ok((unusualFrom(spoiled) ?? 0) > 50_000, 'for as long as it is remembered it counts as known')
  assert.ok((unusualFrom([...counts.slice(1), 420]) ?? Infinity) < 2_000)
})

test('says nothing before a week is known, and nothing of less than a hundred calls', () => {
  assert.equal(unusualFrom(Array<number>(167).fill(1)), undefined)
  assert.equal(unusualFrom(Array<number>(168).fill(1)), 100)
})

test('what is reported is always above every known hour', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { minLength: 168, maxLength: 300 }), (counts) => {
      const from = unusualFrom(counts)
      assert.ok(from !== undefined && Number.isSafeInteger(from) && from > Math.max(...counts))
    }),
    { numRuns: 100 },
  )
})

test('a new network is reported of a key that is a week old and does not roam', () => {
  const at = (day: number) => day * dayMs
  assert.equal(isUnusualPlace({ firstSeenMs: [], nowMs: at(100) }), false, 'never used')
  assert.equal(isUnusualPlace({ firstSeenMs: [at(10)], nowMs: at(17) - 1 }), false, 'not a week old')
  assert.equal(isUnusualPlace({ firstSeenMs: [at(10)], nowMs: at(17) }), true)
  assert.equal(isUnusualPlace({ firstSeenMs: [10, 11, 12, 13, 14, 15].map(at), nowMs: at(40) }), true, 'all at first')
  const roaming = [10, 20, 22, 24, 26, 28].map(at)
  assert.equal(isUnusualPlace({ firstSeenMs: roaming, nowMs: at(40) }), false, 'five new ones in four weeks')
  assert.equal(isUnusualPlace({ firstSeenMs: roaming, nowMs: at(48) }), true, 'only four of them are that new')
})
