import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey, sha256Text } from '@comity/core/crypto/crypto-node'
import { signSecurityEvent, type SecurityEventClaims } from '@comity/core/events/security-event'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { z } from 'zod'
import { openSqlite } from '../storage/sqlite.ts'
import type { SubjectKey } from '../vault/vault.ts'
import { createEventStore } from './event-store-sql.ts'
import { eventsMigrations } from './events-schema.ts'
import { createInbox, type EventHandler, type Inbox, type InboxAnswer, type ReceivedEvent } from './inbox.ts'

const self = 'did:web:self.example'
const signerOf = (did: string) => ({ keyid: `${did}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) })
const partner = signerOf('did:web:partner.example')
const stranger = signerOf('did:web:stranger.example')
const happened = 'urn:test:happened'
const nowMs = 1_000_000_000

const aboutPerson = 'urn:test:about-a-person'
const aboutOther = 'urn:test:about-another'

/** A person's key, by whose name the test finds it again. */
const keyOf = (person: unknown): SubjectKey | undefined =>
  typeof person === 'string' ? { handle: person, seal: (text) => text } : undefined

/** An inbox on a fresh database whose handler counts what it was told in a table. */
async function openInbox(change: { fails?: () => boolean } = {}) {
  const database = await openSqlite(':memory:')
  const tables = [...eventsMigrations, 'CREATE TABLE heard (text TEXT) STRICT', 'CREATE TABLE log (body TEXT) STRICT']
  await database.execute(tables.map((sql) => ({ sql })))
  const handled: ReceivedEvent[] = []
  let ids = 0
  const inbox = createInbox({
    did: self,
    store: createEventStore(database),
    clock: { now: () => nowMs },
    newId: () => `${++ids}`,
    acceptsIssuer: (did) => did !== 'did:web:stranger.example',
    async resolveKey(keyid) {
      if (keyid === partner.keyid) return importVerifyingKey(partner.key.publicJwk)
      if (keyid.startsWith('did:web:gone.example')) throw new Problem('did-unresolvable', 'gone')
      throw new Problem('key-unknown', `\`${keyid}\``)
    },
    handlers: new Map([
      [
        happened,
        async (event): Promise<Statement[]> => {
          if (event.payload['bad'] === true) throw new Problem('event-invalid', 'a bad payload')
          z.object({ n: z.number().optional() }).parse(event.payload)
          handled.push(event)
          return [{ sql: 'INSERT INTO heard VALUES (?)', params: [JSON.stringify(event.payload)] }]
        },
      ],
      ...[aboutPerson, aboutOther].map((type): [string, EventHandler] => [
        type,
        async ({ payload }) => ({ effects: [], subject: keyOf(payload['person']) }),
      ]),
    ]),
    async record({ body, subject }, effects) {
      if (change.fails?.() === true) throw new Problem('record-failed', 'the disk is full')
      const kept = subject === undefined ? body : `${subject.handle}:${subject.seal(body)}`
      await database.execute([{ sql: 'INSERT INTO log VALUES (?)', params: [kept] }, ...effects])
    },
  })
  const count = async (table: string) => (await database.all(`SELECT * FROM ${table}`)).length
  return { database, inbox, handled, count, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

const claims: SecurityEventClaims = {
  iss: 'did:web:partner.example',
  aud: self,
  jti: 'a',
  iat: nowMs / 1000,
  toe: nowMs / 1000 - 60,
  events: { [happened]: { n: 1 } },
}
const token = (change: Partial<SecurityEventClaims> = {}, signer = partner) =>
  signSecurityEvent({ ...claims, ...change }, signer)
const errorOf = (answer: InboxAnswer) => (answer.status === 202 ? 'taken' : answer.error.err)
const receive = async (inbox: Inbox, text: string) => errorOf(await inbox.receive(text))

test('an event takes effect, is noted and logged with its token', async () => {
  await using world = await openInbox()
  const text = token()
  assert.deepEqual(await world.inbox.receive(text), { status: 202 })
  assert.deepEqual(world.handled, [
    { issuer: claims.iss, id: 'a', type: happened, payload: { n: 1 }, occurredMs: nowMs - 60_000 },
  ])
  assert.equal(await world.count('heard'), 1)
  const row = await world.database.get('SELECT body FROM log')
  const logged = { type: 'event-received', id: '1', time: nowMs, issuer: claims.iss, token: text }
  assert.deepEqual(JSON.parse(String(row?.['body'])), logged)
})

test('the log has the token of an event about a person under their key, or its hash when there is none', async () => {
  await using world = await openInbox()
  const cases: [string, SecurityEventClaims['events'], string | undefined][] = [
    ['c', { [aboutPerson]: { person: 'kim' } }, 'kim'],
    ['d', { [aboutPerson]: {} }, undefined],
    ['e', { [aboutPerson]: { person: 'kim' }, [happened]: {} }, 'kim'],
    ['f', { [aboutPerson]: { person: 'kim' }, [aboutOther]: { person: 'jon' } }, undefined],
  ]
  for (const [jti, events, handle] of cases) {
    const text = token({ jti, events })
    assert.equal(await receive(world.inbox, text), 'taken')
    const row = await world.database.get('SELECT body FROM log ORDER BY rowid DESC LIMIT 1')
    const body = String(row?.['body'])
    if (handle === undefined) {
      assert.ok(!body.includes(text))
      assert.equal(JSON.parse(body).tokenHash, sha256Text(text, 'base64url'))
    } else assert.ok(body.startsWith(`${handle}:`) && body.includes(text))
  }
})

test('an event that is sent twice counts once, also at the same time and signed anew', async () => {
  await using world = await openInbox()
  const answers = await Promise.all([world.inbox.receive(token()), world.inbox.receive(token())])
  assert.deepEqual(answers.map(errorOf), ['taken', 'taken'])
  assert.equal(await receive(world.inbox, token({ iat: claims.iat - 5 })), 'taken')
  assert.equal(world.handled.length, 1)
  assert.equal(await world.count('heard'), 1)
  assert.equal(await receive(world.inbox, token({ jti: 'b' })), 'taken')
  assert.equal(await world.count('heard'), 2)
})

test('an event of a kind that nobody knows is acknowledged and ignored', async () => {
  await using world = await openInbox()
  assert.equal(await receive(world.inbox, token({ events: { 'urn:test:unheard-of': {} } })), 'taken')
  assert.equal(await world.count('log'), 0)
})

test('refuses a token for another audience, from the future, or of a stranger', async () => {
  await using world = await openInbox()
  assert.equal(await receive(world.inbox, token({ aud: 'did:web:other.example' })), 'invalid_audience')
  assert.equal(await receive(world.inbox, token({ iat: claims.iat + 3_600 })), 'invalid_request')
  assert.equal(await receive(world.inbox, token({ iat: claims.iat - 91 * 86_400 })), 'invalid_request')
  assert.equal(await receive(world.inbox, token({ iss: 'did:web:stranger.example' }, stranger)), 'invalid_issuer')
  assert.equal(await world.count('heard'), 0)
})

test('refuses a forged token: another key, another issuer, a changed payload, no token', async () => {
  await using world = await openInbox()
  const forged = token({}, { ...stranger, keyid: partner.keyid })
  assert.equal(await receive(world.inbox, forged), 'authentication_failed')
  assert.equal(await receive(world.inbox, token({ iss: 'did:web:partner.example' }, stranger)), 'invalid_request')
  assert.equal(
    await receive(world.inbox, token({}, { ...partner, keyid: 'did:web:partner.example#old' })),
    'invalid_key',
  )
  const [header, , signature] = token().split('.')
  const payload = Buffer.from(JSON.stringify({ ...claims, events: { [happened]: { n: 2 } } })).toString('base64url')
  assert.equal(await receive(world.inbox, `${header}.${payload}.${signature}`), 'authentication_failed')
  for (const text of ['', 'a.b.c', '{}', 'x'.repeat(100_000)])
    assert.equal(await receive(world.inbox, text), 'invalid_request')
  assert.equal(await world.count('heard'), 0)
  assert.equal(await world.count('log'), 0)
})

test('refuses a payload that its event does not have', async () => {
  await using world = await openInbox()
  for (const payload of [{ bad: true }, { n: 'text' }]) {
    assert.equal(await receive(world.inbox, token({ events: { [happened]: payload } })), 'invalid_request')
  }
  assert.equal(await world.count('log'), 0)
})

test('what cannot be kept is not acknowledged, and counts when it is sent again', async () => {
  let fails = true
  await using world = await openInbox({ fails: () => fails })
  await assert.rejects(world.inbox.receive(token()), { code: 'record-failed' })
  assert.equal(await world.count('heard'), 0)
  fails = false
  assert.equal(await receive(world.inbox, token()), 'taken')
  assert.equal(await world.count('heard'), 1)
})

test('a sender whose keys cannot be had now is to try again', async () => {
  await using world = await openInbox()
  const signer = { ...partner, keyid: 'did:web:gone.example#key-1' }
  await assert.rejects(world.inbox.receive(token({ iss: 'did:web:gone.example' }, signer)), {
    code: 'did-unresolvable',
  })
})
