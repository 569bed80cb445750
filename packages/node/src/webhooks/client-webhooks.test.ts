import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { clientEventTypes } from '@comity/core/events/client-events'
import { parseWebhookKeys, verifyWebhook } from '@comity/core/events/standard-webhooks'
import type { Database } from '../storage/database.ts'
import type { DeliveryOutcome } from '../storage/redelivery.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { maxSecrets } from './client-webhook-secrets.ts'
import { createClientWebhookStore } from './client-webhook-store-sql.ts'
import { endpointName, type ClientWebhookRequest } from './client-webhook.ts'
import { maxWebhooksOfClient, openClientWebhooks, type KeyedWebhook } from './client-webhooks.ts'
import { parseWebhookSecret } from './webhook-signature.ts'
import { createWebhookStore } from './webhook-store-sql.ts'
import type { WebhookCall } from './webhook-delivery.ts'
import { clientWebhooksSchema, deadLettersSchema, webhooksSchema } from './webhooks-schema.ts'
import { createWebhooks } from './webhooks.ts'

const own = { url: 'https://portal.example/hook' }
const request = (more: Partial<ClientWebhookRequest> = {}): ClientWebhookRequest => ({
  url: 'https://hooks.example/in',
  events: [...clientEventTypes],
  format: 'hmac',
  fingerprints: [],
  ...more,
})
const hour = 3_600_000
let ids = 0
const refused = { code: 'client-webhook-refused' }
const keyIn = (keyed: KeyedWebhook): string => ('secret' in keyed ? keyed.secret : keyed.publicKey)

async function tables(): Promise<Database> {
  const database = await openSqlite(':memory:')
  const schema = [...webhooksSchema, ...deadLettersSchema, ...clientWebhooksSchema]
  await database.execute(schema.map((sql) => ({ sql })))
  return database
}

/** The webhooks of clients with their outbox; what is sent goes to `sent`, answered by `answer`. */
async function open(database: Database) {
  const scene = {
    clock: { nowMs: Date.UTC(2026, 0, 5) },
    /** Thrown by the next write. */
    failure: undefined as unknown,
    sent: [] as WebhookCall[],
    answer: async (_call: WebhookCall): Promise<DeliveryOutcome> => ({ acknowledged: true }),
  }
  const world = {
    clock: { now: () => scene.clock.nowMs },
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
    newId: () => `id-${++ids}`,
  }
  const store = createWebhookStore(database)
  const clients = await openClientWebhooks({
    ...world,
    store: createClientWebhookStore({ database, key: new Uint8Array(32), randomBytes: world.randomBytes }),
    outbox: store,
    wake: () => undefined,
    async record(_event, statements) {
      if (scene.failure !== undefined) throw scene.failure
      await database.execute(statements)
    },
  })
  const terms = { fingerprints: [], timeoutMs: 1_000, giveUpAfterHours: 72 }
  const webhooks = createWebhooks({
    ...world,
    endpoints: [{ ...own, ...terms, events: ['key.revoked'], signers: parseWebhookSecret(`whsec_${'A'.repeat(43)}=`) }],
    clients,
    store,
    vault: { unseal: async (text) => text },
    deliver: async (call) => {
      scene.sent.push(call)
      return scene.answer(call)
    },
    onDelivered: () => undefined,
    onDelayed: () => undefined,
    onDead: () => undefined,
    onError: (error) => assert.fail(String(error)),
  })
  const tell = async (client: string) => {
    const told = webhooks.clientStatement({ type: 'key.revoked', client, payload: { client, key: 'abcdefgh' } })
    await database.execute(told)
    return told.length
  }
  const round = async () => {
    webhooks.wake()
    await webhooks.settled()
  }
  return Object.assign(scene, { clients, webhooks, tell, round })
}

test('a client has five webhooks at most, and another has its own five', async () => {
  await using database = await tables()
  const { clients } = await open(database)
  for (let count = 0; count < maxWebhooksOfClient; count++) await clients.add('billing', request())
  await assert.rejects(clients.add('billing', request()), refused)
  await clients.add('other', request())
  const [first] = await clients.list('billing')
  await clients.remove('billing', first?.id ?? '')
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => clients.add('billing', request())))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal((await clients.list('billing')).length, maxWebhooksOfClient)
})

test('four secrets sign at most; one that has leaked is replaced all the same', async () => {
  await using database = await tables()
  const { clients, tell, round, sent, clock } = await open(database)
  const { webhook } = await clients.add('billing', request())
  const replace = (overlapHours: number) => clients.replaceSecret('billing', webhook.id, overlapHours)
  for (let count = 1; count < maxSecrets; count++) await replace(count)
  await assert.rejects(replace(24), refused)
  await tell('billing')
  await round()
  const signatures = () => sent.at(-1)?.headers['webhook-signature']?.split(' ').length
  assert.equal(signatures(), maxSecrets)
  clock.nowMs += hour
  await tell('billing')
  await round()
  assert.equal(signatures(), maxSecrets - 1, 'the first was to sign for an hour')
  await replace(24)
  await assert.rejects(replace(24), refused)
  const last = await replace(0)
  await tell('billing')
  await round()
  assert.equal(signatures(), 1)
  const { headers = {}, body = '' } = sent.at(-1) ?? {}
  const times = { nowMs: clock.nowMs, toleranceSeconds: 300 }
  assert.equal(verifyWebhook({ headers, body }, parseWebhookKeys(keyIn(last)), times).id, headers['webhook-id'])
})

test('with Ed25519 the client gets a public key alone, and verifies by the old one and by the new one', async () => {
  await using database = await tables()
  const { clients, tell, round, sent, clock } = await open(database)
  const added = await clients.add('billing', request({ format: 'ed25519' }))
  const changed = await clients.replaceSecret('billing', added.webhook.id, 1)
  assert.match(keyIn(added), /^whpk_/)
  assert.notEqual(keyIn(added), keyIn(changed))
  await tell('billing')
  await round()
  const { headers = {}, body = '' } = sent.at(-1) ?? {}
  const verify = (key: string) =>
    verifyWebhook({ headers, body }, parseWebhookKeys(key), { nowMs: clock.nowMs, toleranceSeconds: 300 })
  for (const keyed of [added, changed]) assert.equal(verify(keyIn(keyed)).id, headers['webhook-id'])
  const stranger = await clients.add('other', request({ format: 'ed25519' }))
  assert.throws(() => verify(keyIn(stranger)), { code: 'signature-invalid' })
})

test('a client that does not answer delays neither the operator’s own systems nor another client', async () => {
  await using database = await tables()
  const scene = await open(database)
  const { clients, webhooks, sent, tell } = scene
  const slow = await clients.add('slow', request({ url: 'https://slow.example/' }))
  await clients.add('dead', request({ url: 'https://dead.example/' }))
  await clients.add('quick', request({ url: 'https://quick.example/' }))
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  let toldQuick = (): void => undefined
  const three = new Promise<void>((resolve) => (toldQuick = resolve))
  const seen = (url: string) => sent.filter((call) => call.url === url).length
  scene.answer = async ({ url }) => {
    if (url === 'https://slow.example/') await held
    if (seen('https://quick.example/') === 3 && seen(own.url) === 1) toldQuick()
    return url === 'https://dead.example/' ? { acknowledged: false, reason: 'status 503' } : { acknowledged: true }
  }
  for (const client of ['slow', 'dead', 'quick', 'slow', 'dead', 'quick']) await tell(client)
  await database.execute(webhooks.statement({ type: 'key.revoked', payload: {} }))
  webhooks.wake()
  await three
  assert.deepEqual([seen('https://slow.example/'), seen('https://dead.example/')], [1, 1])
  const waiting = (await webhooks.list()).filter(({ payload }) => payload !== undefined)
  const names = new Set(waiting.map(({ endpoint }) => endpoint))
  assert.ok(names.has(endpointName(slow.webhook)))
  letGo()
  await webhooks.settled()
  assert.equal(seen('https://slow.example/'), 3)
})

test('a client whose removal is durable is told nothing more; one whose removal failed is', async () => {
  await using database = await tables()
  const { clients, tell } = await open(database)
  await clients.add('billing', request())
  await clients.add('billing', request())
  const failure = new Error('the disk is full')
  await assert.rejects(
    clients.endWith('billing', () => Promise.reject(failure)),
    failure,
  )
  assert.deepEqual([await tell('billing'), (await clients.list('billing')).length], [2, 2])
  await clients.endWith('billing', async (statements) => {
    await database.execute(statements)
    // What is read from here on fails: the end must not hang on it.
    await database.execute([{ sql: 'ALTER TABLE client_webhooks RENAME TO away' }])
  })
  assert.deepEqual([await tell('billing'), await clients.list('billing')], [0, []])
  await database.execute([{ sql: 'ALTER TABLE away RENAME TO client_webhooks' }])
  assert.deepEqual([await (await open(database)).tell('billing')], [0], 'also after a restart')
})

test('nothing is added to a client while it is removed, nor afterwards', async () => {
  await using database = await tables()
  const { clients } = await open(database)
  const removal = clients.endWith('billing', async (statements) => void (await database.execute(statements)))
  await assert.rejects(clients.add('billing', request()), { code: 'client-unknown' })
  await removal
  await assert.rejects(clients.add('billing', request()), { code: 'client-unknown' })
})

test('a change that could not be recorded has not happened', async () => {
  await using database = await tables()
  const scene = await open(database)
  const { clients, tell } = scene
  const { webhook } = await clients.add('billing', request())
  scene.failure = new Error('the disk is full')
  await assert.rejects(clients.add('billing', request()), scene.failure as Error)
  await assert.rejects(clients.remove('billing', webhook.id), scene.failure as Error)
  await assert.rejects(clients.replaceSecret('billing', webhook.id, 1), scene.failure as Error)
  assert.deepEqual(await clients.list('billing'), [webhook])
  assert.equal(await tell('billing'), 1)
})
