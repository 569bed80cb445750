/** A database as it was before keys knew their lines, with keys, rotations and counts in it, and what becomes of it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { formatApiKey, newKeySecret } from '@comity/core/api-keys/api-key'
import { createApiKeyStore } from '../api-keys/api-key-store-sql.ts'
import { openApiKeys, type ApiKeys } from '../api-keys/api-keys.ts'
import { createKeyHashes } from '../api-keys/key-hashes.ts'
import { createKeyUseStore } from '../api-keys/key-use-store-sql.ts'
import { createQuotaStore as createCountStore } from '../limits/quota-ledger.ts'
import { QuotaGrants } from '../quotas/quota-grants.ts'
import { createQuotaStore } from '../quotas/quota-store-sql.ts'
import type { Database, SqlValue } from '../storage/database.ts'
import { migrate } from '../storage/migrations.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { nodeMigrations } from './schema.ts'

const dayMs = 86_400_000
const monthMs = Date.UTC(2026, 0, 1)
const nowMs = Date.UTC(2026, 0, 20)
const clock = { now: () => nowMs }
const hashes = createKeyHashes({
  pepper: Buffer.alloc(32, 1),
  macPepper: Buffer.alloc(32, 2),
  claimPepper: Buffer.alloc(32, 3),
})
const random = (length: number) => new Uint8Array(randomBytes(length))

async function insert(database: Database, table: string, row: Readonly<Record<string, SqlValue>>): Promise<void> {
  const names = Object.keys(row)
  const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  await database.execute([{ sql, params: Object.values(row) }])
}

interface OldKey {
  readonly client?: string
  readonly createdMs: number
  readonly expiresMs?: number
  readonly by?: 'operator' | 'client'
  readonly endedMs?: number
}

/** Gives the key itself. */
async function insertKey(database: Database, id: string, old: OldKey): Promise<string> {
  const { client = 'billing', createdMs, expiresMs = null, by = 'operator', endedMs = null } = old
  const key = { environment: 'live', id, secret: newKeySecret(random) } as const
  const state = endedMs === null ? { state: 'active' } : { state: 'retired', reason: 'rotated', ended_ms: endedMs }
  const terms = { environment: 'live', used_as: 'plain', scope: '{}', networks: '', labels: '{}', sequence: 0 }
  const times = { created_ms: createdMs, expires_ms: expiresMs, issued_by: by }
  await insert(database, 'api_keys', { id, client, verifier: hashes.hashOf(key), ...terms, ...times, ...state })
  return formatApiKey(key)
}

async function insertRotation(database: Database, id: string, row: Readonly<Record<string, SqlValue>>): Promise<void> {
  const plan = { drain_from_ms: nowMs + dayMs, sunset_ms: nowMs + 10 * dayMs, retire: 'when-moved', quiet_seconds: 60 }
  await insert(database, 'key_rotations', { id, client: 'billing', ...plan, ...row })
}

async function insertClient(database: Database, id: string, policies: object): Promise<void> {
  const usual = { overlapDays: 5, warnBeforeDays: 1, selfRenewal: true, retire: 'when-moved', quietSeconds: 60 }
  const row = { id, name: id, kind: 'service', labels: '{}', created_ms: monthMs }
  await insert(database, 'clients', { ...row, policies: JSON.stringify({ ...usual, ...policies }) })
}

/** `first001` ended for `second02`, which is being rotated to `third003`; the others stand alone. */
async function oldDatabase() {
  const database = await openSqlite(':memory:')
  await migrate(database, nodeMigrations.slice(0, 31), clock)
  await insertClient(database, 'billing', {})
  await insertClient(database, 'meters', { rotateEveryDays: 20 })
  const ends = (createdMs: number) => ({ createdMs, expiresMs: createdMs + 30 * dayMs })
  await insertKey(database, 'first001', { ...ends(monthMs - 40 * dayMs), endedMs: monthMs + dayMs })
  const texts = {
    second02: await insertKey(database, 'second02', { ...ends(monthMs), by: 'client' }),
    third003: await insertKey(database, 'third003', ends(nowMs - dayMs)),
    single04: await insertKey(database, 'single04', { createdMs: monthMs, expiresMs: nowMs + 50 * dayMs }),
    policy05: await insertKey(database, 'policy05', { ...ends(monthMs), client: 'meters' }),
    open0006: await insertKey(database, 'open0006', { createdMs: monthMs }),
  }
  const over = { state: 'completed', overlap_from_ms: monthMs, created_ms: monthMs, ended_ms: monthMs + dayMs }
  await insertRotation(database, 'r1', { from_key: 'first001', to_key: 'second02', ...over })
  const running = { state: 'overlapping', overlap_from_ms: nowMs - dayMs, created_ms: nowMs - dayMs }
  await insertRotation(database, 'r2', { from_key: 'second02', to_key: 'third003', ...running })
  return { database, texts }
}

async function opened(database: Database, atMs: { nowMs: number }): Promise<ApiKeys> {
  let ids = 0
  return openApiKeys({
    clock: { now: () => atMs.nowMs },
    randomBytes: random,
    newId: () => `id-${ids++}`,
    hashes,
    store: createApiKeyStore(database),
    uses: createKeyUseStore(database),
    environment: 'live',
    record: (_event, statements) => database.execute(statements),
    webhooks: { statement: () => [], endWith: (_client, remove) => remove([]), wake: () => undefined },
    findPartner: () => undefined,
    onNotice: () => undefined,
    onError: (error) => assert.fail(String(error)),
  })
}

test('keys of a database from before lines work on, know their line, and end or begin anew as they did', async () => {
  const old = await oldDatabase()
  await using database = old.database
  const { texts } = old
  assert.deepEqual((await migrate(database, nodeMigrations, clock))[0], '0032-key-lines')
  const time = { nowMs }
  await using apiKeys = await opened(database, time)
  const lineOf = (text: string) =>
    apiKeys.judge.authenticate(text, { address: '192.0.2.1', environment: 'live' }, time.nowMs).line
  assert.deepEqual(Object.values(texts).map(lineOf), ['first001', 'first001', 'single04', 'policy05', 'open0006'])
  const ends = await Promise.all(
    Object.keys(texts).map(async (id) => {
      const { expiresMs, lineEndsMs, lifetimeDays } = await apiKeys.showKey(id)
      return [id, expiresMs, lineEndsMs, lifetimeDays]
    }),
  )
  assert.deepEqual(ends, [
    ['second02', monthMs + 30 * dayMs, undefined, 30],
    ['third003', nowMs + 29 * dayMs, undefined, 30],
    ['single04', nowMs + 50 * dayMs, nowMs + 50 * dayMs, undefined],
    ['policy05', monthMs + 30 * dayMs, undefined, 30],
    ['open0006', undefined, undefined, undefined],
  ])
  await apiKeys.tend()
  const [rotation] = await apiKeys.listRotations({ client: 'meters', isRunning: true, limit: 10 })
  assert.equal(rotation, undefined, 'it is 19 days old')
  time.nowMs += 2 * dayMs
  await apiKeys.tend()
  const { keyId } = await apiKeys.renew('policy05', texts.policy05)
  assert.equal((await apiKeys.showKey(keyId)).expiresMs, time.nowMs + 30 * dayMs, 'a lifetime anew')
})

test('what keys of a line used and were granted is their line’s after the upgrade, added up', async () => {
  await using database = (await oldDatabase()).database
  const counted: readonly [key: string, used: number][] = [
    ['key=first001', 100],
    ['key=second02', 20],
    ['key=third003', 3],
    ['key=single04', 7],
    ['key=SECOND02', 11],
    ['key=second02#x', 12],
    ['participant=did:web:lab.example key=third003 product=readings', 5],
    ['product=readings monkey=third003', 6],
    ['product=readings key=second02', 8],
  ]
  for (const [limitKey, used] of counted) {
    const row = { limit_name: 'monthly', per: 'month', limit_key: limitKey, starts_ms: monthMs, used }
    await insert(database, 'limit_quotas', row)
    const notice = { limit_name: 'monthly', limit_key: limitKey, starts_ms: monthMs, units: 1_000 }
    await insert(database, 'quota_notices', notice)
  }
  const asked = { participant: '', client: 'billing', limit_name: 'monthly', product: '', units: 5_000, per: 'month' }
  const decided = { state: 'granted', decided_ms: nowMs, granted_units: 5_000, until_ms: nowMs + dayMs }
  const request = { id: 'q1', key_id: 'third003', reason: 'more', asked_ms: nowMs, ...asked, ...decided }
  await insert(database, 'quota_requests', request)
  await insert(database, 'quota_requests', { ...request, id: 'q2', key_id: 'single04' })
  await migrate(database, nodeMigrations, clock)

  const uses = await createCountStore(database).load(nowMs)
  const expected = {
    'key=first001': 123,
    'key=single04': 7,
    'key=SECOND02': 11,
    'key=second02#x': 12,
    'participant=did:web:lab.example key=first001 product=readings': 5,
    'product=readings monkey=third003': 6,
    'product=readings key=first001': 8,
  }
  assert.deepEqual(Object.fromEntries(uses.map(({ key, units }) => [key, units])), expected)
  const notices = await database.all('SELECT limit_key FROM quota_notices')
  assert.deepEqual(notices.map((row) => row['limit_key']).toSorted(), Object.keys(expected).toSorted())
  const grants = new QuotaGrants()
  for (const granted of await createQuotaStore(database).grants(nowMs)) grants.add(granted)
  const rule = { name: 'monthly', units: 1_000, per: 'month', by: ['key'] } as const
  const unitsOf = (id: string) => grants.unitsOf(rule, `key=${id}`, nowMs)
  assert.deepEqual(['first001', 'single04', 'open0006'].map(unitsOf), [5_000, 5_000, 1_000])
  const tables = await database.all(`SELECT name FROM sqlite_master WHERE name LIKE 'line%'`)
  assert.deepEqual(tables, [])
})

test('the upgrade finds what it looks up by an index that is there, so that many keys take no longer each than few', async () => {
  await using database = await openSqlite(':memory:')
  await migrate(database, nodeMigrations.slice(0, 31), clock)
  const { statements } = nodeMigrations.find(({ name }) => name === '0032-key-lines') ?? assert.fail()
  const looking: string[] = []
  for (const sql of statements) {
    const plan = /^(INSERT|UPDATE|DELETE)/.test(sql) ? await database.all(`EXPLAIN QUERY PLAN ${sql}`) : []
    const repeated = new Set(
      plan.filter((row) => String(row['detail']).startsWith('CORRELATED')).map((row) => row['id']),
    )
    for (const { parent, detail } of plan) {
      const step = String(detail)
      if (step.startsWith('SEARCH')) assert.match(step, / USING (COVERING )?INDEX /, sql)
      // What is read whole is read once: it is the outermost of its loops.
      if (step.startsWith('SCAN')) assert.ok(!repeated.has(parent), `${step}: ${sql}`)
      if (/^(SEARCH|SCAN)/.test(step)) repeated.add(parent)
    }
    if (plan.length > 0) looking.push(sql)
    await database.execute([{ sql }])
  }
  assert.ok(looking.length > 0)
  const left = await database.all(
    `SELECT name FROM sqlite_schema WHERE name IN ('key_rotations_ever_to', 'api_keys_by_succeeded')`,
  )
  assert.deepEqual(left, [])
})
