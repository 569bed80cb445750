import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { QuotaAsks } from './quota-asks.ts'
import { createQuotaStore } from './quota-store-sql.ts'
import { quotasSchema } from './quotas-schema.ts'

const partner = 'did:web:holder.example'
const nowMs = Date.parse('2026-03-01T12:00:00Z')
const skewMs = 30_000
const lastMs = Date.parse('9999-12-31T23:59:59.999Z')
const wish = { limit: 'daily', units: 4, per: 'day', reason: 'a study' } as const

/** A node that has asked a partner, which answers with these members when it is asked how the request stands. */
async function asked(answer: object = {}) {
  const database = await openSqlite(':memory:')
  await database.execute(quotasSchema.map((sql) => ({ sql })))
  const asks = new QuotaAsks({
    store: createQuotaStore(database),
    clock: { now: () => nowMs },
    skewMs,
    newId: () => 'entry',
    call: async () => ({ status: 200, value: { ...wish, id: 'r1', state: 'asked', ...answer }, keyid: `${partner}#k` }),
    partnerOf: () => ({ did: partner, authority: 'holder.example' }),
    record: async (_, statements) => database.execute(statements),
    webhooks: {
      hasListener: () => false,
      statement: () => [],
      hasClientListener: () => false,
      clientStatement: () => [],
      wake: () => undefined,
    },
  })
  await asks.ask(partner, wish)
  const tell = async (payload: object) => {
    const told = { request: 'r1', limit: 'daily', units: 4, ...payload }
    await database.execute(await asks.handle({ issuer: partner, payload: told }))
    return (await asks.show('r1')).decision
  }
  return { asks, tell, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

test('a decision that is dated in the future counts as of now, and a later one still counts', async () => {
  await using node = await asked()
  const granted = await node.tell({ state: 'granted', until: lastMs, time: lastMs })
  assert.deepEqual([granted?.state, granted?.decidedMs], ['granted', nowMs])
  const withdrawn = await node.tell({ state: 'withdrawn', until: nowMs, time: nowMs + 1 })
  assert.deepEqual([withdrawn?.state, withdrawn?.decidedMs], ['withdrawn', nowMs + 1])
})

test('a decision by a clock that may be so far ahead counts as of the time that it says', async () => {
  await using node = await asked()
  const granted = await node.tell({ state: 'granted', until: lastMs, time: nowMs + skewMs })
  assert.equal(granted?.decidedMs, nowMs + skewMs)
})

test('a decision that the partner answers counts as of now too where it is dated in the future', async () => {
  await using node = await asked({ state: 'granted', granted: 4, decided: '9999-12-31T23:59:59Z' })
  assert.equal((await node.asks.show('r1')).decision?.decidedMs, nowMs)
})

test('an answer with an end beyond the year 9999 is none', async () => {
  await assert.rejects(asked({ until: '9999-12-31T23:59:59-23:59' }), { code: 'answer-unusable' })
})
