import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openSqlite } from '../../storage/sqlite.ts'
import { UseCounters, type CounterLimit, type UseHold } from './uses-counters.ts'
import { consentUsesMigrations } from './uses-schema.ts'
import { createConsentUsesStore } from './uses-store-sql.ts'

const counter = { consent: 'urn:uuid:1', grant: 'g1', link: '' }

async function open() {
  const database = await openSqlite(':memory:')
  await database.execute(consentUsesMigrations.map((sql) => ({ sql })))
  const store = createConsentUsesStore(database)
  let written = 0
  const write = (atMs: number, links: readonly string[] = []) => {
    written += 1
    const exchange = String(written).padStart(6, '0')
    return database.execute(
      store.insert({ exchange, consent: counter.consent, grants: ['g1'], links, atMs, caller: 'did:web:a', via: [] }),
    )
  }
  return { store, write, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

async function hold(counters: UseCounters, limits: readonly CounterLimit[], nowMs = 0): Promise<UseHold | undefined> {
  const verdict = await counters.hold(limits, nowMs)
  return verdict.allowed ? verdict.hold : undefined
}

test('of a thousand calls at once no more are let through than there are uses, and a restart knows them', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store)
  const limits = [{ counter, maxUses: 10 }]
  const call = async () => {
    const held = await hold(counters, limits)
    if (held === undefined) return false
    await opened.write(1)
    held.end(1)
    return true
  }
  const outcomes = await Promise.all(Array.from({ length: 1_000 }, call))
  assert.equal(outcomes.filter(Boolean).length, 10)
  assert.equal(await opened.store.count(counter), 10)
  for (const each of [counters, new UseCounters(opened.store)]) {
    assert.deepEqual(await each.hold(limits, 5), { allowed: false, retryAfterMs: undefined })
  }
})

test('a call that ends without an answer gives its use back, once', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store)
  const limits = [{ counter, maxUses: 1 }]
  for (let round = 0; round < 3; round += 1) {
    const held = await hold(counters, limits)
    assert.ok(held)
    assert.deepEqual(await counters.hold(limits, 0), { allowed: false, retryAfterMs: 1_000 })
    held.end(undefined)
    held.end(undefined)
  }
  const held = await hold(counters, limits)
  held?.end(7)
  held?.end(undefined)
  assert.equal(await hold(counters, limits), undefined)
})

test('a frequency is kept in every window, wherever it begins', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store)
  const limits = [{ counter, max: 2, perMs: 1_000 }]
  for (const atMs of [0, 900]) (await hold(counters, limits, atMs))?.end(atMs)
  assert.deepEqual(await counters.hold(limits, 999), { allowed: false, retryAfterMs: 1 })
  const held = await hold(counters, limits, 1_000)
  assert.ok(held)
  held.end(1_000)
  assert.deepEqual(await counters.hold(limits, 1_500), { allowed: false, retryAfterMs: 400 })
})

test('what was released before a restart counts in the window', async () => {
  await using opened = await open()
  for (const atMs of [100, 200, 300]) await opened.write(atMs)
  const limits = [{ counter, max: 2, perMs: 1_000 }]
  assert.deepEqual(await new UseCounters(opened.store).hold(limits, 1_150), { allowed: false, retryAfterMs: 50 })
  assert.ok(await hold(new UseCounters(opened.store), limits, 1_200))
})

test('all counters of a call are held, or none', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store)
  const other = { ...counter, link: 'did:web:lab.example d1' }
  const both = [
    { counter, maxUses: 2 },
    { counter: other, maxUses: 1 },
  ]
  const held = await hold(counters, both)
  assert.ok(held)
  assert.equal(await hold(counters, both), undefined)
  assert.ok(await hold(counters, [{ counter, maxUses: 2 }]))
})

test('wider terms are counted anew, once nothing is on its way', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store)
  await opened.write(10)
  const held = await hold(counters, [{ counter, max: 1, perMs: 5 }], 20)
  const wider = hold(counters, [{ counter, max: 2, perMs: 100 }], 21)
  await opened.write(20)
  held?.end(20)
  assert.equal(await wider, undefined)
  assert.ok(await hold(counters, [{ counter, max: 3, perMs: 100 }], 22))
})

test('counters that are pushed out of memory are right when they come back', async () => {
  await using opened = await open()
  const counters = new UseCounters(opened.store, 2)
  const limitOf = (grant: string) => [{ counter: { ...counter, grant }, maxUses: 1 }]
  const held = await hold(counters, limitOf('g1'))
  for (const grant of ['a', 'b', 'c', 'd']) (await hold(counters, limitOf(grant)))?.end(undefined)
  assert.equal(await hold(counters, limitOf('g1')), undefined)
  await opened.write(5)
  held?.end(5)
  for (const grant of ['a', 'b', 'c', 'd']) (await hold(counters, limitOf(grant)))?.end(undefined)
  assert.equal(await hold(counters, limitOf('g1')), undefined)
})

test('whatever calls come, none is let through that is one too many in its window', async () => {
  const call = fc.record({ after: fc.nat(300), ends: fc.boolean() })
  const property = fc.asyncProperty(
    fc.array(call, { maxLength: 40 }),
    fc.integer({ min: 1, max: 4 }),
    async (calls, max) => {
      await using opened = await open()
      let counters = new UseCounters(opened.store)
      const released: number[] = []
      let nowMs = 1_000
      for (const [index, { after, ends }] of calls.entries()) {
        nowMs += after
        if (index % 7 === 6) counters = new UseCounters(opened.store)
        const held = await hold(counters, [{ counter, max, perMs: 500 }], nowMs)
        const inWindow = released.filter((time) => time > nowMs - 500).length
        assert.equal(held !== undefined, inWindow < max)
        if (held !== undefined && ends) {
          await opened.write(nowMs)
          released.push(nowMs)
        }
        held?.end(ends ? nowMs : undefined)
      }
    },
  )
  await fc.assert(property, { numRuns: 50 })
})
