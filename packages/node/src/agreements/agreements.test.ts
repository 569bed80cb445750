import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { createAgreementStore } from './agreement-store-sql.ts'
import { openAgreements, type Agreements } from './agreements.ts'
import { agreementsMigrations } from './agreements-schema.ts'

const holderDid = 'did:web:holder.example'
const recipientDid = 'did:web:recipient.example'
const keyOf = (did: string) => ({ keyid: `${did}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) })
const keys = new Map([holderDid, recipientDid, 'did:web:other.example'].map((did) => [did, keyOf(did)]))
const purpose = 'https://w3id.org/dpv#ResearchAndDevelopment'
const nowMs = Date.parse('2026-06-01T00:00:00Z')

/** One participant: the real service on a real database, whose log is a table. */
class Participant implements AsyncDisposable {
  nowMs = nowMs
  wakes = 0
  ids = 0
  /** When set, nothing can be written. */
  isFull = false
  readonly did: string
  readonly database: Database
  agreements!: Agreements

  private constructor(did: string, database: Database) {
    this.did = did
    this.database = database
  }

  static async start(did: string): Promise<Participant> {
    const database = await openSqlite(':memory:')
    const tables = ['CREATE TABLE log (type TEXT, body TEXT) STRICT', 'CREATE TABLE outbox (event TEXT) STRICT']
    await database.execute([...agreementsMigrations, ...tables].map((sql) => ({ sql })))
    const participant = new Participant(did, database)
    await participant.restart()
    return participant
  }

  async restart(): Promise<void> {
    this.agreements = await openAgreements({
      did: this.did,
      store: createAgreementStore(this.database),
      clock: { now: () => this.nowMs },
      newId: () =>
        `00000000-0000-7000-8000-${this.did.length.toString().padStart(4, '0')}${String(++this.ids).padStart(8, '0')}`,
      assertionKey: () => keys.get(this.did)!,
      resolveKey: async (keyid) => {
        const named = [...keys.values()].find((one) => one.keyid === keyid)
        if (named === undefined) throw new Problem('key-unknown', `\`${keyid}\``)
        return importVerifyingKey(named.key.publicJwk)
      },
      record: ({ type, body }, effects) =>
        this.write([{ sql: 'INSERT INTO log VALUES (?, ?)', params: [type, body] }, ...effects]),
      outbox: {
        statement: (event) => ({ sql: 'INSERT INTO outbox VALUES (?)', params: [JSON.stringify(event)] }),
        wake: () => this.wakes++,
      },
    })
  }

  async write(statements: readonly Statement[]): Promise<void> {
    if (this.isFull) throw new Problem('record-failed', 'the disk is full')
    await this.database.execute(statements)
  }

  async column(table: string, name: string): Promise<string[]> {
    return (await this.database.all(`SELECT ${name} AS value FROM ${table}`)).map((row) => String(row['value']))
  }

  ask(change: { product?: string; purpose?: string; agreementId?: string } = {}): string {
    const question = {
      assigner: holderDid,
      assignee: recipientDid,
      product: 'athletes',
      operation: 'read',
      purpose,
      agreementId: undefined,
    }
    const verdict = this.agreements.decide({ ...question, ...change }, this.nowMs)
    return verdict.allowed ? 'allowed' : verdict.code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]()
  }
}

const options = { assigner: holderDid, assignee: recipientDid, products: ['athletes'], purposes: [purpose] }
const travelled = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** Two participants and a document that both have signed. */
async function signedByBoth() {
  const holder = await Participant.start(holderDid)
  const recipient = await Participant.start(recipientDid)
  const once = await holder.agreements.sign(travelled(holder.agreements.draft(options)))
  const document = travelled(await recipient.agreements.sign(travelled(once)))
  const { '@id': id } = once.agreement
  return {
    holder,
    recipient,
    document,
    id,
    async [Symbol.asyncDispose]() {
      await holder[Symbol.asyncDispose]()
      await recipient[Symbol.asyncDispose]()
    },
  }
}

test('a document counts on a node once both signatures verify, and after a restart too', async () => {
  await using world = await signedByBoth()
  for (const node of [world.holder, world.recipient]) {
    assert.equal(node.ask(), 'agreement-required')
    const record = await node.agreements.import(world.document)
    assert.equal(record.state, 'in-force')
    assert.equal(record.role, node === world.holder ? 'holder' : 'recipient')
    assert.equal(node.ask(), 'allowed')
    await node.restart()
    assert.equal(node.ask(), 'allowed')
    assert.equal(node.ask({ purpose: 'urn:other' }), 'agreement-purpose')
    assert.deepEqual(node.agreements.list(), [record])
    assert.deepEqual(travelled(node.agreements.show(world.id).envelope), world.document)
    assert.deepEqual(await node.column('log', 'type'), ['agreement-signed', 'agreement-imported'])
  }
})

test('importing again, also at the same time, changes nothing', async () => {
  await using world = await signedByBoth()
  const { holder, document } = world
  const records = await Promise.all([holder.agreements.import(document), holder.agreements.import(document)])
  assert.deepEqual(records[0], records[1])
  assert.equal(holder.agreements.list().length, 1)
  assert.equal((await holder.column('log', 'type')).filter((type) => type === 'agreement-imported').length, 1)
  await holder.agreements.terminate(world.id, 'over')
  assert.equal((await holder.agreements.import(document)).state, 'terminated')
  assert.equal(holder.ask(), 'agreement-terminated')
})

test('refuses a document that only one side has signed, or that was changed after signing', async () => {
  await using world = await signedByBoth()
  const { holder } = world
  const half = await holder.agreements.sign(holder.agreements.draft(options))
  await assert.rejects(holder.agreements.import(half), { code: 'agreement-signature' })
  const changed = {
    ...(world.document as object),
    agreement: { ...half.agreement, '@id': world.id, target: 'everything' },
  }
  await assert.rejects(holder.agreements.import(changed), { code: 'agreement-signature' })
  assert.deepEqual(holder.agreements.list(), [])
})

test('refuses another content under a known id, to sign it as well as to import it', async () => {
  await using world = await signedByBoth()
  const { holder, recipient } = world
  await holder.agreements.import(world.document)
  const { agreement } = holder.agreements.show(world.id).envelope
  const other = { agreement: { ...agreement, target: 'other' }, signatures: [] }
  const signed = await recipient.agreements.sign(other)
  await assert.rejects(holder.agreements.sign(signed), { code: 'agreement-conflict' })
  await using twin = await Participant.start(holderDid)
  const both = await twin.agreements.sign(signed)
  await assert.rejects(holder.agreements.import(both), { code: 'agreement-conflict' })
  assert.equal(holder.ask({ product: 'other' }), 'agreement-required')
})

test('refuses what cannot be enforced when it is imported and when it is to be signed', async () => {
  await using world = await signedByBoth()
  const { agreement } = world.holder.agreements.draft(options)
  const bad = { agreement: { ...agreement, obligation: [{ action: 'compensate' }] }, signatures: [] }
  await assert.rejects(world.holder.agreements.sign(bad), { code: 'agreement-unenforceable' })
  await assert.rejects(world.holder.agreements.import(bad), { code: 'agreement-unenforceable' })
})

test('refuses a document of others', async () => {
  await using other = await Participant.start('did:web:other.example')
  await using world = await signedByBoth()
  assert.throws(() => other.agreements.draft(options), { code: 'agreement-malformed' })
  await assert.rejects(other.agreements.sign(world.document), { code: 'agreement-malformed' })
  await assert.rejects(other.agreements.import(world.document), { code: 'agreement-malformed' })
})

test('refuses a signature that is dated in the future', async () => {
  await using world = await signedByBoth()
  world.holder.nowMs -= 600_000
  await assert.rejects(world.holder.agreements.import(world.document), { code: 'agreement-signature' })
})

test('an import that cannot be written does not count', async () => {
  await using world = await signedByBoth()
  world.holder.isFull = true
  await assert.rejects(world.holder.agreements.import(world.document), { code: 'record-failed' })
  assert.equal(world.holder.ask(), 'agreement-required')
  world.holder.isFull = false
  await world.holder.agreements.import(world.document)
  assert.equal(world.holder.ask(), 'allowed')
})

test('termination stops the very next call, is logged, kept, and told to the other side once', async () => {
  await using world = await signedByBoth()
  const { holder, id } = world
  await holder.agreements.import(world.document)
  const terminating = Promise.all([holder.agreements.terminate(id, 'over'), holder.agreements.terminate(id, 'twice')])
  assert.equal(holder.ask(), 'agreement-terminated', 'before anything was written')
  const [record] = await terminating
  assert.deepEqual(record.termination, { by: holderDid, at: '2026-06-01T00:00:00Z', reason: 'over' })
  await holder.agreements.terminate(id, 'again')
  const [event, ...more] = (await holder.column('outbox', 'event')).map((text) => JSON.parse(text) as unknown)
  assert.deepEqual(more, [])
  assert.deepEqual(event, {
    recipient: recipientDid,
    type: 'urn:comity:event:agreement-terminated',
    payload: { agreement: id, hash: record.hash, time: nowMs, reason: 'over' },
    occurredMs: nowMs,
  })
  assert.equal(holder.wakes, 1)
  await holder.restart()
  assert.equal(holder.ask(), 'agreement-terminated')
  assert.equal(holder.agreements.list()[0]?.state, 'terminated')
})

test('a termination that cannot be written stops calls all the same, and can be tried again', async () => {
  await using world = await signedByBoth()
  const { holder, id } = world
  await holder.agreements.import(world.document)
  holder.isFull = true
  await assert.rejects(holder.agreements.terminate(id, 'over'), { code: 'record-failed' })
  assert.equal(holder.ask(), 'agreement-terminated')
  assert.equal(holder.wakes, 0)
  holder.isFull = false
  await holder.agreements.terminate(id, 'over')
  assert.equal((await holder.column('outbox', 'event')).length, 1)
})

test("the partner's termination stops calls here, for good", async () => {
  await using world = await signedByBoth()
  const { recipient, id } = world
  await recipient.agreements.import(world.document)
  const payload = { agreement: id, hash: 'x', time: nowMs - 5_000, reason: 'over' }
  await recipient.write(await recipient.agreements.handleTermination({ issuer: holderDid, payload }))
  assert.equal(recipient.ask(), 'agreement-terminated')
  await recipient.restart()
  assert.equal(recipient.ask(), 'agreement-terminated')
  assert.equal(recipient.agreements.show(id).termination?.by, holderDid)
  await recipient.agreements.terminate(id, 'too late')
  assert.deepEqual(await recipient.column('outbox', 'event'), [])
})

test('a termination by somebody who is no party, or without its payload, counts for nothing', async () => {
  await using world = await signedByBoth()
  const { recipient, id } = world
  await recipient.agreements.import(world.document)
  const payload = { agreement: id, hash: 'x', time: nowMs, reason: '' }
  const issuer = 'did:web:other.example'
  assert.deepEqual(await recipient.agreements.handleTermination({ issuer, payload }), [])
  assert.equal(recipient.ask(), 'allowed')
  const wrong = recipient.agreements.handleTermination({ issuer: holderDid, payload: { agreement: id } })
  await assert.rejects(wrong, { code: 'event-invalid' })
})

test('a termination that comes before its agreement is not forgotten', async () => {
  for (const isWritten of [true, false]) {
    await using world = await signedByBoth()
    const { recipient, id } = world
    const payload = { agreement: id, hash: 'x', time: nowMs, reason: '' }
    const stranger = await recipient.agreements.handleTermination({ issuer: 'did:web:other.example', payload })
    const effects = await recipient.agreements.handleTermination({ issuer: holderDid, payload })
    if (isWritten) {
      await recipient.write([...stranger, ...effects])
      await recipient.restart()
    }
    assert.equal((await recipient.agreements.import(world.document)).state, 'terminated')
    assert.equal(recipient.ask(), 'agreement-terminated')
  }
})

test('the state follows the time', async () => {
  await using world = await signedByBoth()
  const { holder, recipient } = world
  const period = { fromMs: nowMs + 1_000, untilMs: nowMs + 2_000 }
  const draft = holder.agreements.draft({ ...options, ...period })
  await holder.agreements.import(await recipient.agreements.sign(await holder.agreements.sign(draft)))
  const states = [0, 1_000, 2_000].map((ms) => {
    holder.nowMs = nowMs + ms
    return [holder.agreements.list()[0]?.state, holder.ask()]
  })
  assert.deepEqual(states, [
    ['pending', 'agreement-expired'],
    ['in-force', 'allowed'],
    ['expired', 'agreement-expired'],
  ])
})

test('an unknown agreement cannot be shown or ended, and a reason has a limit', async () => {
  await using world = await signedByBoth()
  const { holder, id } = world
  assert.throws(() => holder.agreements.show(id), { code: 'agreement-unknown' })
  await assert.rejects(holder.agreements.terminate(id, ''), { code: 'agreement-unknown' })
  await holder.agreements.import(world.document)
  await assert.rejects(holder.agreements.terminate(id, 'x'.repeat(1_001)), { code: 'malformed-request' })
  assert.equal(holder.ask(), 'allowed')
})
