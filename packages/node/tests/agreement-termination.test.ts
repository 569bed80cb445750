/** Two participants with real logs, outboxes and inboxes; between them a wire that the test cuts. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { agreementTerminated } from '@comity/core/events/event-types'
import { createAgreementStore } from '../src/agreements/agreement-store-sql.ts'
import { openAgreements } from '../src/agreements/agreements.ts'
import { nodeMigrations } from '../src/assembly/schema.ts'
import { createIdSource, pooledRandomBytes } from '../src/assembly/world.ts'
import { openAuditLog } from '../src/audit-log/audit-log.ts'
import type { Deliver } from '../src/events/delivery.ts'
import { createEventStore } from '../src/events/event-store-sql.ts'
import { createInbox, type Inbox } from '../src/events/inbox.ts'
import { openVault } from '../src/vault/open-vault.ts'
import { Outbox } from '../src/events/outbox.ts'
import { migrate } from '../src/storage/migrations.ts'
import { openSqlite } from '../src/storage/sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-termination-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const holderDid = 'did:web:holder.example'
const recipientDid = 'did:web:recipient.example'
const keys = new Map(
  [holderDid, recipientDid].map((did) => [
    did,
    { keyid: `${did}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) },
  ]),
)
const resolveKey = async (keyid: string) => importVerifyingKey(keys.get(keyid.split('#')[0]!)!.key.publicJwk)
const world = { nowMs: Date.parse('2026-06-01T00:00:00Z') }
const clock = { now: () => world.nowMs }
const randomBytes = pooledRandomBytes()
const vaultSecret = randomBytes(32)
const logKey = importSigningKey(generatePrivateJwk('ed25519'))

async function startParticipant(did: string, deliver: Deliver) {
  const stack = new AsyncDisposableStack()
  const home = join(directory, did.replaceAll(':', '-'))
  const auditDirectory = join(home, 'log')
  const database = stack.use(await openSqlite(`${home}.db`))
  await migrate(database, nodeMigrations, clock)
  const log = stack.use(
    await openAuditLog({ database, directory: auditDirectory, origin: `${did}/log`, signingKey: logKey, randomBytes }),
  )
  const newId = createIdSource({ clock, randomBytes })
  const store = createEventStore(database)
  const assertionKey = () => keys.get(did)!
  const onError = (error: unknown) => {
    throw error
  }
  const vault = stack.use(await openVault({ database, secret: vaultSecret, randomBytes, clock }))
  const parts = { did, store, vault, assertionKey, deliver, clock, randomBytes, newId, onError }
  const outbox = stack.use(new Outbox(parts))
  const record: Parameters<typeof openAgreements>[0]['record'] = (event, effects) =>
    log.append(log.prepare(event), effects)
  const agreements = await openAgreements({
    did,
    store: createAgreementStore(database),
    clock,
    newId,
    resolveKey,
    assertionKey,
    record,
    outbox,
  })
  const handlers = new Map([[agreementTerminated, agreements.handleTermination.bind(agreements)]])
  const inbox = createInbox({ did, store, clock, newId, resolveKey, acceptsIssuer: () => true, handlers, record })
  const types = async () => (await log.readEvents()).map(({ type }) => type)
  return { agreements, outbox, inbox, types, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const nowhere: Deliver = async () => ({ acknowledged: false, reason: 'cut' })
const to =
  (inbox: Inbox): Deliver =>
  async (_recipient, token) => {
    const { status } = await inbox.receive(token)
    return status === 202
      ? { acknowledged: true }
      : { acknowledged: false, reason: `status ${status}`, isRefused: true }
  }
const question = {
  assigner: holderDid,
  assignee: recipientDid,
  product: 'athletes',
  operation: undefined,
  purpose: undefined,
  agreementId: undefined,
}

test('a termination reaches the partner after a cut wire and a restart, and counts once', async () => {
  await using recipient = await startParticipant(recipientDid, nowhere)
  const ask = () => {
    const verdict = recipient.agreements.decide(question, world.nowMs)
    return verdict.allowed ? 'allowed' : verdict.code
  }
  {
    await using holder = await startParticipant(holderDid, nowhere)
    const draft = holder.agreements.draft({ assigner: holderDid, assignee: recipientDid, products: ['athletes'] })
    const document = await recipient.agreements.sign(await holder.agreements.sign(draft))
    const { id } = await holder.agreements.import(document)
    await recipient.agreements.import(document)
    await holder.agreements.terminate(id, 'over')
    await holder.outbox.settled()
    assert.equal(ask(), 'allowed', 'the wire is cut')
  }
  let deliveries = 0
  await using holder = await startParticipant(holderDid, async (did, token, signal) => {
    deliveries++
    await to(recipient.inbox)(did, token, signal)
    // The first acknowledgement is lost on the way back.
    return deliveries === 1 ? { acknowledged: false, reason: 'lost' } : to(recipient.inbox)(did, token, signal)
  })
  for (let round = 0; round < 3; round++) {
    world.nowMs += 3_600_000
    holder.outbox.wake()
    await holder.outbox.settled()
  }
  assert.equal(deliveries, 2)
  assert.equal(ask(), 'agreement-terminated')
  assert.deepEqual(await recipient.types(), ['agreement-signed', 'agreement-imported', 'event-received'])
  assert.deepEqual(await holder.types(), ['agreement-signed', 'agreement-imported', 'agreement-terminated'])
  assert.notEqual((await holder.outbox.list())[0]?.acknowledgedMs, undefined)
})
