import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { createHandledWebhooks } from './handled-webhooks.ts'
import { createWebhookReceiver, type WebhookEvent } from './webhook.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
const nowMs = Date.parse('2026-03-01T10:00:00Z')
const clock = { now: () => nowMs }
const body = JSON.stringify({
  type: 'consent.changed',
  timestamp: '2026-03-01T09:59:00.000Z',
  data: { id: 'a', rev: 2 },
})

function signed({ id = 'msg_1', at = nowMs, text = body, key = secret } = {}) {
  const signature = new Webhook(key).sign(id, new Date(at), text)
  const headers = {
    'Webhook-Id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': signature,
  }
  return { headers, body: text }
}
const code = (wanted: string) => (error: unknown) => (error as { code?: string }).code === wanted

test('hands over what an implementation written by others has signed', async () => {
  const events: WebhookEvent[] = []
  const receiver = createWebhookReceiver({ keys: secret, clock })
  assert.equal(await receiver.receive(signed(), (event) => events.push(event)), 'handled')
  assert.deepEqual(events, [
    { id: 'msg_1', type: 'consent.changed', timestamp: '2026-03-01T09:59:00.000Z', data: { id: 'a', rev: 2 } },
  ])
})

test('the same message is handled once: replayed, sent again, or twice at the same time', async () => {
  let handled = 0
  const receiver = createWebhookReceiver({ keys: secret, clock })
  const handle = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    handled += 1
  }
  const outcomes = await Promise.all([1, 2, 3].map(() => receiver.receive(signed(), handle)))
  assert.deepEqual(outcomes.toSorted(), ['handled', 'repeated', 'repeated'])
  assert.equal(await receiver.receive(signed({ at: nowMs + 60_000 }), handle), 'repeated', 'a later try of the node')
  assert.equal(handled, 1)
})

test('a message is handled once for as long as it may come: tried for 30 days, replayed 30 days later, and so on', async () => {
  let atMs = nowMs
  const days = (count: number) => (atMs += count * 86_400_000)
  const receiver = createWebhookReceiver({ keys: secret, clock: { now: () => atMs } })
  const outcomes = []
  for (const later of [0, 30, 30, 60, 62]) {
    days(later)
    outcomes.push(await receiver.receive(signed({ at: atMs }), () => undefined))
  }
  assert.deepEqual(outcomes, ['handled', 'repeated', 'repeated', 'repeated', 'handled'])
})

test('remembers the last 100,000, one that came again among them', () => {
  const handled = createHandledWebhooks(clock)
  for (let number = 0; number < 100_000; number += 1) handled.add(`msg_${number}`, nowMs + 1_000)
  handled.add('msg_0', nowMs + 1_000)
  handled.add('msg_100000', nowMs + 1_000)
  assert.deepEqual(
    [0, 1, 2, 100_000].map((number) => handled.has(`msg_${number}`)),
    [true, false, true, true],
  )
})

test('a memory of the application’s outlives the receiver, and is told until when', async () => {
  const untilById = new Map<string, number>()
  const handled = {
    has: async (id: string) => untilById.has(id),
    add: (id: string, until: number) => void untilById.set(id, until),
  }
  const receive = (at: number) =>
    createWebhookReceiver({ keys: secret, handled, clock: { now: () => at } }).receive(signed({ at }), () => undefined)
  assert.equal(await receive(nowMs), 'handled')
  assert.equal(await receive(nowMs + 1_000), 'repeated')
  assert.deepEqual([...untilById], [['msg_1', nowMs + 1_000 + 61 * 86_400_000]])
  const full = { has: () => false, add: () => Promise.reject(new Error('database is away')) }
  const receiver = createWebhookReceiver({ keys: secret, handled: full, clock })
  await assert.rejects(
    receiver.receive(signed(), () => undefined),
    /database is away/,
  )
})

test('what could not be handled is handled when it comes again, also by one that waited for it', async () => {
  const receiver = createWebhookReceiver({ keys: secret, clock })
  let handled = 0
  const first = receiver.receive(signed(), async () => {
    await new Promise((resolve) => setImmediate(resolve))
    throw new Error('database is away')
  })
  const second = receiver.receive(signed(), () => (handled += 1))
  await assert.rejects(first, /database is away/)
  assert.deepEqual([await second, handled], ['handled', 1])
})

test('refuses what is altered, too old, too new, by another key, or not an event', async () => {
  const receiver = createWebhookReceiver({ keys: secret, clock })
  const never = () => assert.fail('handled')
  const { headers } = signed()
  const refused: [Parameters<typeof receiver.receive>[0], string][] = [
    [{ headers, body: body.replace('2', '3') }, 'signature-invalid'],
    [{ headers: { ...headers, 'Webhook-Id': 'msg_2' }, body }, 'signature-invalid'],
    [{ headers: { ...headers, 'webhook-timestamp': String(nowMs / 1000 + 1) }, body }, 'signature-invalid'],
    [{ headers: { ...headers, 'webhook-signature': 'v1a,AAAA v1,AAAA' }, body }, 'signature-invalid'],
    [{ headers: { ...headers, 'webhook-signature': ['v1,a', 'v1,b'] }, body }, 'malformed-request'],
    [{ headers: { ...headers, 'webhook-id': undefined, 'Webhook-Id': undefined }, body }, 'malformed-request'],
    [{ headers: { ...headers, 'webhook-timestamp': '-1' }, body }, 'malformed-request'],
    [signed({ key: other }), 'signature-invalid'],
    [signed({ at: nowMs - 301_000 }), 'signature-stale'],
    [signed({ at: nowMs + 301_000 }), 'signature-stale'],
    [signed({ text: '[]' }), 'malformed-request'],
    [signed({ text: '{"type":1}' }), 'malformed-request'],
  ]
  for (const [message, wanted] of refused) await assert.rejects(receiver.receive(message, never), code(wanted), wanted)
})

test('knows a public key, and two keys while one takes over', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = `whpk_${publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')}`
  const receiver = createWebhookReceiver({ keys: `${text} ${other}`, clock })
  const time = String(nowMs / 1000)
  const signature = sign(null, Buffer.from(`msg_9.${time}.${body}`), privateKey).toString('base64')
  const headers = { 'webhook-id': 'msg_9', 'webhook-timestamp': time, 'webhook-signature': `v1a,${signature}` }
  assert.equal(await receiver.receive({ headers, body }, () => undefined), 'handled')
  assert.equal(await receiver.receive(signed({ key: other }), () => undefined), 'handled')
  await assert.rejects(
    receiver.receive(signed({ key: secret, id: 'x' }), () => undefined),
    code('signature-invalid'),
  )
})

test('refuses keys that are none, and repeats none of them', () => {
  for (const keys of ['', 'whsec_planted', `${secret} planted`, `whpk_${Buffer.alloc(31).toString('base64')}`]) {
    assert.throws(
      () => createWebhookReceiver({ keys }),
      (error: Error) => code('invalid-call')(error) && !error.message.includes('planted') && error.cause === undefined,
    )
  }
})

test('whatever arrives, it is an error with a code or an event that was signed', async () => {
  const receiver = createWebhookReceiver({ keys: secret, clock })
  const field = fc.option(fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 2 })), { nil: undefined })
  const headers = fc.record({ 'webhook-id': field, 'webhook-timestamp': field, 'webhook-signature': field })
  const property = fc.asyncProperty(headers, fc.string(), async (fields, text) => {
    await assert.rejects(
      receiver.receive({ headers: fields, body: text }, () => assert.fail('handled')),
      (error: { code?: string }) => error.code === 'malformed-request' || error.code === 'signature-invalid',
    )
  })
  await fc.assert(property, { numRuns: 200 })
})
