import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { createRepeats, keptMs, maxKept, maxPerMinute, type KeyedCall } from './repeats.ts'
import { adminRepeatsSchema } from './repeats-schema.ts'
import { createRepeatsStore, pruneRepeats } from './repeats-store-sql.ts'

async function openScene() {
  const database = await openSqlite(':memory:')
  await database.execute(adminRepeatsSchema.map((sql) => ({ sql })))
  const clock = { nowMs: 1_000, now: () => clock.nowMs }
  const store = createRepeatsStore(database)
  const restart = (secret = new Uint8Array(32)) =>
    createRepeats({ store, clock, randomBytes: (size) => randomBytes(size), secret })
  return { database, clock, restart, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

const call: KeyedCall = {
  key: '"key-of-the-first-caller"',
  method: 'POST',
  target: '/v1/things',
  body: { b: 1, a: 'secret' },
}

function worker() {
  let done = 0
  const work = async (): Promise<Reply> => jsonReply(201, { number: ++done, secret: 'shown once' }, ['x-field', 'yes'])
  return { work, done: () => done }
}

test('the same call with the same key is done once, also after a restart, and answered alike', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  const first = await scene.restart().once(call, work)
  const again = { ...call, body: { a: 'secret', b: 1 } }
  assert.deepEqual(await scene.restart().once(again, work), first)
  assert.equal(done(), 1)
})

test('another call with the same key is refused, whatever differs', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  const repeats = scene.restart()
  await repeats.once(call, work)
  for (const other of [{ body: { b: 2 } }, { target: '/v1/others' }, { body: undefined }])
    await assert.rejects(repeats.once({ ...call, ...other }, work), { code: 'idempotency-key-reused' })
  assert.equal(done(), 1)
})

test('of many at once one is done, and the others are told that it runs', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  const repeats = scene.restart()
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => repeats.once(call, work)))
  assert.equal(done(), 1)
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Problem] : []))
  assert.ok(refused.every(({ code }) => code === 'idempotency-in-progress'))
  assert.equal(refused.length, 49)
})

test('a call that failed may be sent again with the same key, corrected', async () => {
  await using scene = await openScene()
  const { work } = worker()
  const repeats = scene.restart()
  const fail = () => Promise.reject(new Problem('already-exists', 'it is there'))
  await assert.rejects(repeats.once(call, fail), { code: 'already-exists' })
  assert.equal((await repeats.once({ ...call, body: {} }, work)).status, 201)
})

test('where the node stopped before the first answer, nobody knows, and it is not done again', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  const begun = Promise.withResolvers<void>()
  void scene.restart().once(call, () => {
    begun.resolve()
    return new Promise<Reply>(() => {})
  })
  await begun.promise
  await assert.rejects(scene.restart().once(call, work), { code: 'outcome-unknown' })
  assert.equal(done(), 0)
})

test('after a day the key is free', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  await scene.restart().once(call, work)
  scene.clock.nowMs += keptMs
  await scene.restart().once(call, work)
  assert.equal(done(), 1, 'the last moment of the day')
  scene.clock.nowMs += 1
  await scene.restart().once(call, work)
  assert.equal(done(), 2)
})

test('the database tells neither key nor call nor answer, and another secret opens nothing', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  await scene.restart().once(call, work)
  const rows = await scene.database.all('SELECT * FROM admin_repeats')
  const stored = rows.flatMap((row) => Object.values(row).map((value) => Buffer.from(String(value)).toString('latin1')))
  const bytes = rows.map(({ answer }) => Buffer.from(answer as Uint8Array).toString('latin1'))
  for (const word of ['key-of-the-first', 'secret', 'shown once', '/v1/things', 'number'])
    assert.ok(![...stored, ...bytes].some((text) => text.includes(word)), word)
  await scene.restart(new Uint8Array(32).fill(1)).once(call, work)
  assert.equal(done(), 2)
})

test('a field that is no quoted string is refused', async () => {
  await using scene = await openScene()
  const repeats = scene.restart()
  for (const key of ['one', '""', `"${'a'.repeat(129)}"`, '"a\\"b"', '"a', '"ä"', '"a", "b"', '"a";p=1'])
    await assert.rejects(repeats.once({ ...call, key }, worker().work), { code: 'idempotency-key-invalid' }, key)
})

const rowsOf = (count: number, { nowMs, answer }: { nowMs: number; answer: Uint8Array | null }) =>
  Array.from({ length: count }, (_, i) => ({
    sql: 'INSERT INTO admin_repeats (name, fingerprint, answer, began_ms) VALUES (?, ?, ?, ?)',
    params: [`n${nowMs} ${i}`, 'f', answer, nowMs],
  }))

test('too many new keys within a minute wait for the next one, and none is forgotten', async () => {
  await using scene = await openScene()
  const { work } = worker()
  const first = await scene.restart().once(call, work)
  await scene.database.execute(rowsOf(maxPerMinute - 1, { nowMs: scene.clock.nowMs, answer: null }))
  const another = () => scene.restart().once({ ...call, key: '"new"' }, work)
  await assert.rejects(another(), { code: 'rate-limited', members: { retryAfterSeconds: 60 } })
  assert.deepEqual(await scene.restart().once(call, work), first)
  scene.clock.nowMs += 60_000
  assert.equal((await another()).status, 201)
})

test('however many keys were used in a day, new ones are taken, and no old call is done again', async () => {
  await using scene = await openScene()
  const { work, done } = worker()
  await scene.restart().once(call, work)
  scene.clock.nowMs += 61_000
  await scene.database.execute(rowsOf(maxKept, { nowMs: scene.clock.nowMs, answer: new Uint8Array([1]) }))
  scene.clock.nowMs += 61_000
  const fresh = { ...call, key: '"new"' }
  const answer = await scene.restart().once(fresh, work)
  await pruneRepeats(scene.database, scene.clock.nowMs)
  await assert.rejects(scene.restart().once(call, work), { code: 'outcome-unknown' })
  assert.deepEqual(await scene.restart().once(fresh, work), answer)
  assert.equal(done(), 2)
})

test('what is older than a day is removed although no call comes', async () => {
  await using scene = await openScene()
  await scene.restart().once(call, worker().work)
  const count = async () => (await scene.database.all('SELECT name FROM admin_repeats')).length
  await pruneRepeats(scene.database, scene.clock.nowMs + keptMs)
  assert.equal(await count(), 1)
  await pruneRepeats(scene.database, scene.clock.nowMs + keptMs + 1)
  assert.equal(await count(), 0)
})
