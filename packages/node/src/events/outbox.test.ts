import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generatePrivateJwk, importSigningKey, sha256Text } from '@comity/core/crypto/crypto-node'
import { dutyImposed } from '@comity/core/events/event-types'
import { parseSecurityEvent } from '@comity/core/events/security-event'
import type { Database } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import type { DeliveryOutcome } from '../storage/redelivery.ts'
import type { Deliver } from './delivery.ts'
import { createEventStore } from './event-store-sql.ts'
import { eventsMigrations } from './events-schema.ts'
import { Outbox } from './outbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-outbox-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const did = 'did:web:a.example'
const b = 'did:web:b.example'
const c = 'did:web:c.example'
const away: DeliveryOutcome = { acknowledged: false, reason: 'away' }
const openTables = async (path: string): Promise<Database> => {
  const database = await openSqlite(path)
  const known = await database.get(`SELECT name FROM sqlite_schema WHERE name = 'outbox_events'`)
  if (known === undefined) await database.execute(eventsMigrations.map((sql) => ({ sql })))
  return database
}

/** A world with a clock that the test sets and a network that the test plays. */
class World implements AsyncDisposable {
  nowMs = 1_000_000
  ids = 0
  keyid = `${did}#key-1`
  readonly key = importSigningKey(generatePrivateJwk('ed25519'))
  readonly sent: { recipient: string; token: string }[] = []
  readonly errors: unknown[] = []
  /** What can be unsealed. */
  readonly texts = new Map<string, string>()
  answer: Deliver = async () => ({ acknowledged: true })
  readonly database: Database
  readonly outbox: Outbox

  constructor(database: Database, idPrefix = '') {
    this.database = database
    this.outbox = new Outbox({
      did,
      store: createEventStore(database),
      vault: { unseal: async (text) => this.texts.get(text) },
      assertionKey: () => ({ keyid: this.keyid, key: this.key }),
      deliver: (recipient, token, signal) => {
        this.sent.push({ recipient, token })
        return this.answer(recipient, token, signal)
      },
      clock: { now: () => this.nowMs },
      randomBytes: (length) => new Uint8Array(length).fill(128),
      newId: () => `${idPrefix}${++this.ids}`,
      onError: (error) => this.errors.push(error),
    })
  }

  async send(recipient: string): Promise<void> {
    const type = 'urn:comity:event:key-rotated'
    await this.database.execute([this.outbox.statement({ recipient, type, payload: {}, occurredMs: this.nowMs })])
  }

  async sendSealed(payload: Record<string, unknown>): Promise<void> {
    const seal = (text: string): string => {
      const sealed = `sealed:${'h'.repeat(43)}:${this.texts.size}`
      this.texts.set(sealed, text)
      return sealed
    }
    const event = { recipient: b, type: dutyImposed, payload, occurredMs: this.nowMs }
    await this.database.execute([this.outbox.statement(event, { seal })])
  }

  async round(): Promise<void> {
    this.outbox.wake()
    await this.outbox.settled()
  }

  idsFor(recipient: string): string[] {
    return this.sent
      .filter((one) => one.recipient === recipient)
      .map(({ token }) => parseSecurityEvent(token).claims.jti)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.outbox[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
  }
}

test('an event is delivered once, signed for its recipient, and the acknowledged token is kept', async () => {
  await using world = new World(await openTables(':memory:'))
  await world.send(b)
  await world.round()
  await world.round()
  assert.equal(world.sent.length, 1)
  const { claims } = parseSecurityEvent(world.sent[0]!.token)
  assert.deepEqual(claims, {
    iss: did,
    aud: b,
    jti: '1',
    iat: 1_000,
    toe: 1_000,
    events: { 'urn:comity:event:key-rotated': {} },
  })
  const [entry] = await world.outbox.list()
  assert.equal(entry?.token, world.sent[0]!.token)
  assert.equal(entry?.acknowledgedMs, world.nowMs)
})

test('an event about a person is kept sealed, told whole, and then known by the hash of its token only', async () => {
  await using world = new World(await openTables(':memory:'))
  const payload = { subject: 'ps_1' }
  await world.sendSealed(payload)
  const [waiting] = await world.database.all('SELECT * FROM outbox_events')
  assert.ok(!JSON.stringify(waiting).includes('ps_1'))
  await world.round()
  const [sent] = world.sent
  assert.deepEqual(parseSecurityEvent(sent?.token ?? '').claims.events, { [dutyImposed]: payload })
  const [entry] = await world.outbox.list()
  assert.equal(entry?.token, `sha-256:${sha256Text(sent?.token ?? '', 'base64url')}`)
  assert.deepEqual([entry?.payload, entry?.sealed, entry?.acknowledgedMs], [{}, undefined, world.nowMs])
})

test('an event about a person who was erased before it was told ends untold, and holds up no other', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = async () => away
  await world.sendSealed({ subject: 'ps_1' })
  await world.round()
  world.texts.clear()
  world.answer = async () => ({ acknowledged: true })
  world.nowMs += 3_600_000
  await world.send(b)
  await world.round()
  assert.deepEqual(world.idsFor(b), ['1', '2'])
  const kept = await world.database.get("SELECT * FROM outbox_events WHERE id = '1'")
  assert.deepEqual([kept?.['payload'], kept?.['token'], kept?.['last_error']], ['{}', null, 'the person was erased'])
  await world.round()
  assert.equal(world.sent.length, 2)
})

test('a try that fails is made again after growing waits, with the same id and the key of the day', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = async () => away
  await world.send(b)
  const waits: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) {
    await world.round()
    const [entry] = await world.outbox.list()
    waits.push(entry!.nextAttemptMs - world.nowMs)
    await world.round()
    assert.equal(world.sent.length, attempt + 1, 'not before its time')
    world.nowMs = entry!.nextAttemptMs
    world.keyid = `${did}#key-${attempt}`
  }
  assert.deepEqual(
    waits,
    [1_000, 2_000, 4_000, 8_000, 16_000].map((ms) => Math.floor((ms * 128.5) / 128)),
  )
  assert.deepEqual(new Set(world.idsFor(b)), new Set(['1']))
  assert.notEqual(parseSecurityEvent(world.sent[4]!.token).keyid, parseSecurityEvent(world.sent[0]!.token).keyid)
  assert.equal((await world.outbox.list())[0]?.lastError, 'away')
})

test('a recipient who asks for time gets it', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = async () => ({ acknowledged: false, reason: 'status 503', retryAfterMs: 120_000 })
  await world.send(b)
  await world.round()
  const [entry] = await world.outbox.list()
  assert.ok(entry!.nextAttemptMs >= world.nowMs + 120_000)
})

test('one recipient who is away or slow holds up nobody else, and is not called again for each event', async () => {
  await using world = new World(await openTables(':memory:'))
  const gate = Promise.withResolvers<DeliveryOutcome>()
  world.answer = (recipient) => (recipient === b ? gate.promise : Promise.resolve({ acknowledged: true }))
  for (let index = 0; index < 3; index++) await world.send(b)
  world.outbox.wake()
  await world.send(c)
  world.outbox.wake()
  while (world.idsFor(c).length === 0) await new Promise((resolve) => setImmediate(resolve))
  gate.resolve(away)
  await world.outbox.settled()
  assert.equal(world.idsFor(b).length, 1)
  const waiting = (await world.outbox.list()).filter(({ acknowledgedMs }) => acknowledgedMs === undefined)
  assert.deepEqual(waiting.map(({ attempts }) => attempts).toSorted(), [0, 0, 1])
  world.nowMs += 3_600_000
  world.answer = async () => ({ acknowledged: true })
  await world.round()
  assert.deepEqual(world.idsFor(b).slice(1).toSorted(), ['1', '2', '3'])
})

test('a refusal is about one event; the others go on, and it is tried again much later', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = async () =>
    world.sent.length === 1 ? { acknowledged: false, reason: 'status 400', isRefused: true } : { acknowledged: true }
  await world.send(b)
  await world.send(b)
  await world.round()
  assert.equal(world.sent.length, 2)
  const waiting = (await world.outbox.list()).filter(({ acknowledgedMs }) => acknowledgedMs === undefined)
  assert.equal(waiting.length, 1)
  assert.ok(waiting[0]!.nextAttemptMs >= world.nowMs + 1_800_000)
})

test('a delivery that throws counts as failed', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = () => Promise.reject(new Error('connection refused'))
  await world.send(b)
  await world.round()
  const [entry] = await world.outbox.list()
  assert.deepEqual([entry?.lastError, entry?.attempts], ['connection refused', 1])
  assert.deepEqual(world.errors, [])
})

test('what was not acknowledged before a stop is delivered after it', async () => {
  const path = join(directory, 'restart.db')
  {
    await using world = new World(await openTables(path))
    const asked = Promise.withResolvers<void>()
    world.answer = (_recipient, _token, signal) => {
      asked.resolve()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    await world.send(b)
    world.outbox.wake()
    await asked.promise
  }
  await using world = new World(await openTables(path), 'second-')
  await world.round()
  assert.deepEqual(world.idsFor(b), ['1'])
})

test('storage that fails is reported, and the outbox lives on', async () => {
  await using world = new World(await openTables(':memory:'))
  await world.send(b)
  await world.database.execute([{ sql: 'ALTER TABLE outbox_events RENAME TO away' }])
  await world.round()
  assert.equal(world.errors.length, 1)
  await world.database.execute([{ sql: 'ALTER TABLE away RENAME TO outbox_events' }])
  await world.round()
  assert.deepEqual(world.idsFor(b), ['1'])
})

test('many recipients are all served', async () => {
  await using world = new World(await openTables(':memory:'))
  for (let index = 0; index < 60; index++) await world.send(`did:web:r${index}.example`)
  await world.round()
  assert.equal(world.sent.length, 60)
})

test('deliveries that fail at once let everything else run in between', async () => {
  await using world = new World(await openTables(':memory:'))
  world.answer = async () => away
  for (let index = 0; index < 300; index++) await world.send(`did:web:r${index}.example`)
  world.outbox.wake()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(world.sent.length < 300)
  await world.outbox.settled()
  assert.equal(world.sent.length, 300)
})
