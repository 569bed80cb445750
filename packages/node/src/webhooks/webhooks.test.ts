import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseWebhookKeys, verifyWebhook } from '@comity/core/events/standard-webhooks'
import { Webhook } from 'standardwebhooks'
import { createAddressGuard } from '../http/address-guard.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import type { Database } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { webhookEventTypes } from './webhook-config.ts'
import { createWebhookDelivery, type DeliverWebhook } from './webhook-delivery.ts'
import { parseWebhookSecret, webhookPublicKey } from './webhook-signature.ts'
import { createWebhookStore } from './webhook-store-sql.ts'
import { deadLettersSchema, webhooksSchema } from './webhooks-schema.ts'
import { withoutClients } from './webhooks-test-clients.ts'
import type { WebhookEndpoint } from './webhook-receivers.ts'
import { createWebhooks, type Webhooks } from './webhooks.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-webhooks-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const secret = `whsec_${createHash('sha256').update('a').digest('base64')}`
const nextSecret = `whsec_${createHash('sha256').update('b').digest('base64')}`
const network = createWebhookDelivery(createGuardedFetch({ guard: createAddressGuard({ allowPrivateAddresses: [] }) }))

const openTables = async (path: string): Promise<Database> => {
  const database = await openSqlite(path)
  const known = await database.get(`SELECT name FROM sqlite_schema WHERE name = 'webhook_messages'`)
  if (known === undefined) await database.execute([...webhooksSchema, ...deadLettersSchema].map((sql) => ({ sql })))
  return database
}

/** The holder's own system: keeps what it got and answers as told. */
class Receiver implements AsyncDisposable {
  readonly got: { headers: IncomingMessage['headers']; body: string; path: string }[] = []
  readonly server: Server
  status = 200
  fields: Record<string, string> = {}
  hang = false

  constructor() {
    this.server = createServer((message, response) => {
      const chunks: Buffer[] = []
      message.on('data', (chunk: Buffer) => chunks.push(chunk))
      message.on('end', () => {
        this.got.push({ headers: message.headers, body: Buffer.concat(chunks).toString(), path: message.url ?? '' })
        if (!this.hang) response.writeHead(this.status, this.fields).end('{"echo":"not to be logged"}')
      })
    })
  }

  async open(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  url(path = '/hook?key=operators-own'): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }
}

interface SceneOptions {
  readonly database: Database
  readonly endpoints: readonly (Partial<WebhookEndpoint> & { url: string })[]
  readonly deliver?: DeliverWebhook
  readonly unsealed?: () => string | undefined
}

function scene(options: SceneOptions) {
  const told: unknown[] = []
  const clock = { nowMs: Date.now() }
  let ids = 0
  const webhooks: Webhooks = createWebhooks({
    endpoints: options.endpoints.map((endpoint) => ({
      signers: parseWebhookSecret(secret),
      events: webhookEventTypes,
      fingerprints: [],
      timeoutMs: 1_000,
      giveUpAfterHours: 72,
      ...endpoint,
    })),
    clients: withoutClients,
    store: createWebhookStore(options.database),
    vault: { unseal: async (text) => (options.unsealed === undefined ? text : options.unsealed()) },
    deliver: options.deliver ?? network,
    clock: { now: () => clock.nowMs },
    randomBytes: (length) => new Uint8Array(length).fill(128),
    newId: () => `msg_${++ids}`,
    onDelivered: (notice) => told.push(notice),
    onDelayed: (notice) => told.push(notice),
    onDead: (notice) => told.push({ dead: notice }),
    onError: (error) => assert.fail(String(error)),
  })
  const round = async (): Promise<void> => {
    webhooks.wake()
    await webhooks.settled()
  }
  return { webhooks, clock, told, round, database: options.database }
}

const asked = {
  type: 'consent.requested',
  payload: { reference: '736041664', link: 'https://consent.example.org/c/planted-secret' },
} as const

test('a message verifies with an implementation written by others, and says what happened', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const { webhooks, round, told, clock } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  const [message] = receiver.got
  assert.deepEqual(new Webhook(secret).verify(message!.body, message!.headers as Record<string, string>), {
    type: 'consent.requested',
    timestamp: new Date(clock.nowMs).toISOString(),
    data: asked.payload,
  })
  assert.throws(() => new Webhook(nextSecret).verify(message!.body, message!.headers as Record<string, string>))
  assert.equal(message!.headers['content-type'], 'application/json')
  assert.equal(message!.path, '/hook?key=operators-own')
  assert.deepEqual(told, [{ id: 'msg_1', type: 'consent.requested', endpoint: new URL(receiver.url()).origin }])
})

test('while one secret takes over from another, receivers with either can verify', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const signers = parseWebhookSecret(`${nextSecret}\n${secret}\n`)
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url(), signers }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  const { body, headers } = receiver.got[0]!
  for (const known of [secret, nextSecret]) new Webhook(known).verify(body, headers as Record<string, string>)
})

test('an Ed25519 key signs what its public key verifies, beside a shared secret', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const text = `whsk_${seed.toString('base64')}`
  assert.equal(webhookPublicKey(text), `whpk_${spki.subarray(-32).toString('base64')}`)
  const pair = `whsk_${Buffer.concat([seed, spki.subarray(-32)]).toString('base64')}`
  assert.equal(webhookPublicKey(pair), webhookPublicKey(text))
  const signers = parseWebhookSecret(`${text}\n${secret}`)
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url(), signers }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  const { body, headers } = receiver.got[0]!
  const [first = '', second = ''] = String(headers['webhook-signature']).split(' ')
  assert.match(second, /^v1,/)
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  assert.ok(verify(null, Buffer.from(content), publicKey, Buffer.from(first.slice('v1a,'.length), 'base64')))
  new Webhook(secret).verify(body, headers as Record<string, string>)
  const nowMs = Number(headers['webhook-timestamp']) * 1000
  for (const keys of [webhookPublicKey(text), secret]) {
    verifyWebhook({ headers, body }, parseWebhookKeys(keys), { nowMs, toleranceSeconds: 5 })
  }
})

test('what no system takes for as long as it is tried becomes a dead letter, which is sent again on demand', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 500
  await using database = await openTables(':memory:')
  const { webhooks, round, clock, told } = scene({
    database,
    endpoints: [{ url: receiver.url(), giveUpAfterHours: 1 }],
  })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  for (let tries = 0; tries < 40 && (await webhooks.list())[0]?.deadMs === undefined; tries++) {
    await round()
    clock.nowMs = Math.max(clock.nowMs + 1, (await webhooks.list())[0]!.nextAttemptMs)
  }
  const tries = receiver.got.length
  const [dead] = await webhooks.list()
  assert.deepEqual([dead?.attempts, dead?.lastError], [tries, 'status 500'])
  assert.deepEqual(told.at(-1), {
    dead: { id: 'msg_1', type: 'consent.requested', endpoint: new URL(receiver.url()).origin, reason: 'status 500' },
  })
  clock.nowMs += 86_400_000
  await round()
  assert.equal(receiver.got.length, tries, 'it is left alone')
  receiver.status = 200
  assert.equal(await webhooks.replay({ id: 'msg_2' }), 0)
  assert.equal(await webhooks.replay({ id: 'msg_1', address: new URL(receiver.url()).origin }), 1)
  await webhooks.settled()
  assert.equal(receiver.got.at(-1)?.headers['webhook-id'], 'msg_1')
  assert.ok((await webhooks.list())[0]?.deliveredMs)
})

test('a system that is gone for good is not tried again', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 410
  await using database = await openTables(':memory:')
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  assert.ok((await webhooks.list())[0]?.deadMs)
  assert.equal(receiver.got.length, 1)
})

test('refuses a secret that is not one, without repeating it', () => {
  const short = Buffer.alloc(23).toString('base64')
  const long = Buffer.alloc(65).toString('base64')
  for (const text of [
    '',
    'hunter2-planted',
    `whsec_${short}`,
    `whsec_${long}`,
    'whsec_&&&planted',
    `${secret} x`,
    `whsk_${short}`,
    `whsk_${Buffer.alloc(64, 1).toString('base64')}`,
  ]) {
    assert.throws(
      () => parseWebhookSecret(text),
      (error: Error & { code?: string }) => error.code === 'config-invalid' && !error.message.includes('planted'),
      text,
    )
  }
})

test('the next try has the same id and body and a new time, after growing waits, across restarts', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 503
  const path = join(directory, 'restart.db')
  const waits: number[] = []
  let nowMs = Date.now()
  for (let attempt = 0; attempt < 4; attempt++) {
    await using database = await openTables(path)
    const { webhooks, round, clock } = scene({ database, endpoints: [{ url: receiver.url() }] })
    await using _ = webhooks
    clock.nowMs = nowMs
    if (attempt === 0) await database.execute(webhooks.statement(asked))
    await round()
    await round()
    assert.equal(receiver.got.length, attempt + 1, 'one try at its time')
    const [entry] = await webhooks.list()
    waits.push(entry!.nextAttemptMs - nowMs)
    nowMs = entry!.nextAttemptMs
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8].map((seconds) => Math.floor((seconds * 1000 * 128.5) / 128)),
  )
  receiver.status = 204
  await using database = await openTables(path)
  const { webhooks, round, clock } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  clock.nowMs = nowMs
  await round()
  assert.equal(new Set(receiver.got.map(({ body }) => body)).size, 1)
  assert.equal(new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.ok(new Set(receiver.got.map(({ headers }) => headers['webhook-timestamp'])).size > 1)
  const [entry] = await webhooks.list()
  assert.equal(entry?.payload, undefined)
  assert.equal(entry?.deliveredMs, nowMs)
})

test('what names a person is kept sealed until it is delivered, and is nowhere afterwards', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 500
  const path = join(directory, 'sealed.db')
  await using database = await openTables(path)
  let plain = ''
  const seal = (text: string): string => {
    plain = text
    return `sealed:handle:${Buffer.from(Buffer.from(text).map((byte) => byte ^ 0x5a)).toString('base64url')}`
  }
  const { webhooks, round, told } = scene({ database, endpoints: [{ url: receiver.url() }], unsealed: () => plain })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked, { seal }))
  await round()
  assert.equal(JSON.parse(receiver.got[0]!.body).data.reference, '736041664')
  const disk = () => ['', '-wal'].map((end) => readFileSync(`${path}${end}`, 'latin1')).join('')
  const found = (text: string, planted: readonly string[]) => planted.filter((word) => text.includes(word))
  assert.deepEqual(found(disk(), ['736041664', 'planted-secret', 'not to be logged']), [])
  assert.deepEqual(
    found(JSON.stringify(told), ['736041664', 'planted-secret', 'operators-own', 'not to be logged']),
    [],
  )
  const sealed = (await webhooks.list())[0]!.payload!
  assert.ok(disk().includes(sealed))
})

test('a message about a person who was erased meanwhile is never sent', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url() }], unsealed: () => undefined })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked, { seal: () => 'sealed:handle:x' }))
  await round()
  assert.equal(receiver.got.length, 0)
  assert.equal((await webhooks.list())[0]?.payload, undefined)
})

test('each system is told of what it asked for, and one that is away holds up no other', async () => {
  await using away = await new Receiver().open()
  await using there = await new Receiver().open()
  away.hang = true
  await using database = await openTables(':memory:')
  const endpoints = [
    { url: away.url(), timeoutMs: 100 },
    { url: there.url(), events: ['consent.changed' as const] },
  ]
  const { webhooks, round } = scene({ database, endpoints })
  await using _ = webhooks
  assert.ok(webhooks.hasListener('consent.requested'))
  await database.execute(webhooks.statement(asked))
  await database.execute(webhooks.statement({ type: 'consent.changed', payload: {} }))
  await round()
  assert.deepEqual(
    there.got.map(({ body }) => (JSON.parse(body) as { type: string }).type),
    ['consent.changed'],
  )
  assert.equal(away.got.length, 1, 'after a failure the rest waits too')
  const waiting = (await webhooks.list()).filter(({ endpoint }) => endpoint === away.url())
  assert.ok(waiting.every(({ payload, nextAttemptMs }) => payload !== undefined && nextAttemptMs > 0))
})

test('a message that is refused for what it is holds up none behind it', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  receiver.status = 400
  await database.execute(webhooks.statement(asked))
  await database.execute(webhooks.statement(asked))
  await round()
  assert.equal(receiver.got.length, 2)
})

test('waits as long as the receiver asks for', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 429
  receiver.fields = { 'retry-after': '3600' }
  await using database = await openTables(':memory:')
  const { webhooks, round, clock } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  assert.ok((await webhooks.list())[0]!.nextAttemptMs >= clock.nowMs + 3_600_000)
})

test('a receiver that asks for longer than a message is tried is tried once more after that, as is what waited behind', async () => {
  await using receiver = await new Receiver().open()
  receiver.status = 503
  receiver.fields = { 'retry-after': '7200' }
  await using database = await openTables(':memory:')
  const { webhooks, round, clock } = scene({ database, endpoints: [{ url: receiver.url(), giveUpAfterHours: 1 }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await database.execute(webhooks.statement({ type: 'consent.changed', payload: {} }))
  await round()
  assert.deepEqual(
    (await webhooks.list()).map(({ deadMs, nextAttemptMs }) => [deadMs, nextAttemptMs >= clock.nowMs + 7_200_000]),
    [
      [undefined, true],
      [undefined, true],
    ],
  )
  assert.equal(receiver.got.length, 1)
  const dead: string[][] = []
  for (let tries = 2; tries <= 4; tries++) {
    clock.nowMs = Math.max(...(await webhooks.list()).map(({ nextAttemptMs }) => nextAttemptMs))
    await round()
    assert.equal(receiver.got.length, tries, 'never sooner than it asks')
    dead.push(
      (await webhooks.list())
        .filter(({ deadMs }) => deadMs !== undefined)
        .map(({ id }) => id)
        .toSorted(),
    )
  }
  assert.deepEqual(dead, [['msg_1'], ['msg_1'], ['msg_1', 'msg_2']])
})

test('a redirect is not followed: it would carry a link to somebody else', async () => {
  await using receiver = await new Receiver().open()
  await using other = await new Receiver().open()
  receiver.status = 307
  receiver.fields = { location: other.url() }
  await using database = await openTables(':memory:')
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url() }] })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  assert.equal(other.got.length, 0)
  assert.equal((await webhooks.list())[0]?.lastError, 'status 307')
})

test('a name that leads into a private network is not called', async () => {
  await using database = await openTables(':memory:')
  const guarded = createGuardedFetch({
    guard: createAddressGuard({ allowPrivateAddresses: [] }),
    lookup: async () => [{ address: '10.0.0.7', family: 4 }],
  })
  const deliver = createWebhookDelivery(guarded)
  const { webhooks, round } = scene({ database, endpoints: [{ url: 'https://portal.example/hook' }], deliver })
  await using _ = webhooks
  await database.execute(webhooks.statement(asked))
  await round()
  assert.match((await webhooks.list())[0]?.lastError ?? '', /^address-forbidden/)
})

test('what waits for an endpoint that is no longer configured is given up', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const first = scene({ database, endpoints: [{ url: receiver.url('/old') }] })
  await database.execute(first.webhooks.statement(asked))
  const { webhooks, round } = scene({ database, endpoints: [{ url: receiver.url('/new') }] })
  await using _ = webhooks
  await round()
  assert.equal(receiver.got.length, 0)
  assert.equal((await webhooks.list())[0]?.payload, undefined)
})

test('a system that is named is sent a test message at once, past what waits, and nothing of it is kept', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const endpoints = [{ url: receiver.url() }, { url: receiver.url('/other') }]
  const { webhooks, round, clock } = scene({ database, endpoints })
  await using _ = webhooks
  receiver.status = 503
  await database.execute(webhooks.statement(asked))
  await round()
  const address = receiver.url('/hook')
  assert.deepEqual(await webhooks.testOwn(address), [{ address, taken: false, reason: 'status 503' }])
  receiver.status = 204
  receiver.got.length = 0
  assert.deepEqual(await webhooks.testOwn(address), [{ address, taken: true }])
  const [{ headers, body } = { headers: {}, body: '' }] = receiver.got
  const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
  assert.deepEqual(verified, { type: 'webhook.test', timestamp: new Date(clock.nowMs).toISOString(), data: {} })
  assert.equal((await webhooks.testOwn(new URL(address).origin)).length, 2, 'both at that origin')
  const nothing = receiver.url('/nothing')
  await assert.rejects(webhooks.testOwn(nothing), { code: 'webhook-unknown' })
  await assert.rejects(webhooks.replay({ state: 'dead', address: nothing }), { code: 'webhook-unknown' })
  const kept = await webhooks.list()
  assert.deepEqual(new Set(kept.map(({ type, attempts }) => `${type} ${attempts}`)), new Set(['consent.requested 1']))
})

test('what waits for one address can be sent now, and what waits for another on the same host goes on waiting', async () => {
  await using receiver = await new Receiver().open()
  await using database = await openTables(':memory:')
  const endpoints = [{ url: receiver.url() }, { url: receiver.url('/other') }]
  const { webhooks, round } = scene({ database, endpoints })
  await using _ = webhooks
  receiver.status = 401
  await database.execute(webhooks.statement(asked))
  await round()
  receiver.status = 204
  receiver.got.length = 0
  await round()
  assert.equal(receiver.got.length, 0, 'its next try is far off')
  assert.equal(await webhooks.replay({ state: 'dead' }), 0)
  assert.equal(await webhooks.replay({ id: 'msg_1', address: receiver.url('/hook') }), 1)
  await webhooks.settled()
  const states = (await webhooks.list()).map(({ address, deliveredMs }) => [
    new URL(address).pathname,
    deliveredMs !== undefined,
  ])
  assert.deepEqual(states.toSorted(), [
    ['/hook', true],
    ['/other', false],
  ])
})
