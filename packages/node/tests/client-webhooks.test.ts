/** Clients are told of their own keys and quotas, by real nodes over HTTP: of nobody else's, and no secret with it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { isClientEvent } from '../../client/src/client.ts'
import { adminOf } from './admin-call.ts'
import { startHookReceiver, type HookReceiver } from './hook-receiver.ts'
import { addClient, answered, issueKey, keysOf, presentKey, refusedFor, startKeyNetwork } from './key-network.ts'
import { until } from './consent-network.ts'
import type { TestNetwork, TestNode } from './test-network.ts'

const quickly = { retire: 'when-moved', quietSeconds: 1, overlapDays: 1 / 86_400 } as const
const renewal = { path: '/keys/renewal', headers: {} }

/** Adds a webhook of a client over the admin API, with the receiver behind it. */
async function addHook(node: TestNode, client: string, { receiver, ...more }: { receiver: HookReceiver }) {
  const admin = await adminOf(node)
  const body = { url: receiver.url, ...more }
  const { status, json, text } = await admin.call({ method: 'POST', path: `/v1/clients/${client}/webhooks`, body })
  assert.equal(status, 201, text)
  const added = json as { id: string; secret?: string; publicKey?: string; endpoint: string }
  receiver.trust(added.secret ?? added.publicKey ?? '')
  return added
}

const typesAt = (receiver: HookReceiver) => receiver.events.map(({ type }) => type)

async function twoClients(): Promise<
  { network: TestNetwork; mine: HookReceiver; other: HookReceiver } & AsyncDisposable
> {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await startKeyNetwork())
  const [mine, other] = [stack.use(await startHookReceiver()), stack.use(await startHookReceiver())]
  await addClient(network.holder)
  await addClient(network.holder, { id: 'scheduling' })
  await addHook(network.holder, 'billing', { receiver: mine })
  await addHook(network.holder, 'scheduling', { receiver: other })
  const moved = stack.move()
  return { network, mine, other, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

test('a client is told that its key is rotated, fetches the next one where the message says, and no call fails', async () => {
  await using scene = await twoClients()
  const { network, mine, other } = scene
  const { holder } = network
  const key = await issueKey(holder)
  let current = key.text
  mine.onEvent = async (message) => {
    assert.ok(isClientEvent(message), message.type)
    if (message.type !== 'key.rotating') return
    const url = new URL(message.data.renewal ?? '')
    assert.equal(url.origin, new URL(holder.url).origin)
    const fetched = await answered(
      holder,
      presentKey(holder, current, { ...renewal, method: 'POST', path: url.pathname }),
      201,
    )
    current = (JSON.parse(fetched.body.toString()) as { key: string }).key
  }
  await answered(holder, presentKey(holder, current))
  const keys = await keysOf(holder)
  const { rotation } = await keys.rotations.rotate(key.id, { successor: 'claim', ...quickly }, 'operator')
  let calls = 0
  await until('the rotation to be over', async () => {
    await answered(holder, presentKey(holder, current))
    calls += 1
    await keys.tend()
    return (await keys.showKey(key.id)).state === 'retired'
  })
  assert.ok(calls > 1)
  await until('the end to be told', () => typesAt(mine).includes('key.retired'))
  const [rotating] = mine.events.filter(({ type }) => type === 'key.rotating')
  assert.equal(rotating?.data['key'], key.id)
  assert.equal(rotating.data['rotation'], rotation.id)
  assert.equal(typeof rotating.data['sunset'], 'string')
  const retired = mine.events.find(({ type }) => type === 'key.retired')
  assert.deepEqual([retired?.data['key'], retired?.data['reason']], [key.id, 'rotated'])
  await refusedFor(network, presentKey(holder, key.text), 'key-expired')
  assert.deepEqual(typesAt(other), ['webhook.added'], 'another client is told nothing')
  for (const text of [key.text, current]) {
    for (const part of [text, text.slice(19, 40)]) assert.ok(!mine.bodies.join().includes(part), 'a secret was sent')
  }
})

test('a revocation, and the removal of a client, are told to its webhook and to no other; an operator’s words stay here', async () => {
  await using scene = await twoClients()
  const { network, mine, other } = scene
  const { holder } = network
  const [first, second] = [await issueKey(holder), await issueKey(holder)]
  const admin = await adminOf(holder)
  const reason = 'planted: we suspect Kim'
  await admin.call({ method: 'POST', path: `/v1/api-keys/${first.id}/revoke`, body: { reason } })
  await until('the revocation', () => typesAt(mine).includes('key.revoked'))
  assert.deepEqual(mine.events.at(-1)?.data, { client: 'billing', key: first.id, working: [second.id] })
  assert.equal((await admin.call({ method: 'DELETE', path: '/v1/clients/billing' })).status, 204)
  await until('the second', () => typesAt(mine).filter((type) => type === 'key.revoked').length === 2)
  assert.deepEqual(mine.events.at(-1)?.data, { client: 'billing', key: second.id, reason: 'client-removed' })
  assert.deepEqual(typesAt(other), ['webhook.added'])
  assert.doesNotMatch(mine.bodies.join(), /planted/)
  const rows = await holder.running.parts.foundation.database.all('SELECT client, ended_ms FROM client_webhooks')
  const ended = rows.map((row) => [row['client'], row['ended_ms'] !== null]).toSorted()
  assert.deepEqual(ended, [
    ['billing', true],
    ['scheduling', false],
  ])
})

test('what a client missed while its system was away reaches it after a restart of the node', async () => {
  await using scene = await twoClients()
  const { network, mine } = scene
  const { holder } = network
  await until('the first message', () => typesAt(mine).length === 1)
  mine.status = 503
  const key = await issueKey(holder)
  await (await keysOf(holder)).keys.revoke(key.id, { by: 'operator' })
  await until('a try', () => mine.statuses.includes(503))
  await holder.stop()
  mine.status = undefined
  network.clock.offsetMs += 120_000
  await holder.start()
  await until('the revocation', () => typesAt(mine).includes('key.revoked'))
  assert.deepEqual(mine.events.at(-1)?.data, { client: 'billing', key: key.id, reason: 'revoked', working: [] })
})

test('who has got hold of a key can neither have messages sent elsewhere nor silence its client', async () => {
  await using scene = await twoClients()
  const { holder } = scene.network
  const key = await issueKey(holder)
  const [{ id } = { id: '' }] = await holder.running.parts.webhooks.clients.list('billing')
  const body = JSON.stringify({ url: 'https://hooks.example.test/' })
  for (const [method, path] of [
    ['GET', ''],
    ['POST', ''],
    ['DELETE', `/${id}`],
    ['POST', `/${id}/secret`],
  ] as const) {
    const call = { path: `/keys/webhooks${path}`, method, headers: {}, ...(method === 'POST' && { body }) }
    await refusedFor(scene.network, presentKey(holder, key.text, call), 'not-found')
  }
})

test('an operator sends a test message to a webhook of a client, and sees how it was taken', async () => {
  await using scene = await twoClients()
  const { mine, other, network } = scene
  await until('the first message', () => typesAt(mine).length === 1)
  const admin = await adminOf(network.holder)
  const [{ id } = { id: '' }] = await network.holder.running.parts.webhooks.clients.list('billing')
  const path = `/v1/clients/billing/webhooks/${id}/test`
  const endpoint = mine.url.replace(/\?.*$/, '')
  mine.status = 401
  assert.deepEqual((await admin.call({ method: 'POST', path })).json, { endpoint, taken: false, reason: 'status 401' })
  mine.status = undefined
  assert.deepEqual((await admin.call({ method: 'POST', path })).json, { endpoint, taken: true })
  assert.ok(mine.events.every(isClientEvent))
  assert.deepEqual(mine.events.at(-1)?.data, { client: 'billing', webhook: id })
  assert.deepEqual([typesAt(mine), typesAt(other)], [['webhook.added', 'webhook.test'], ['webhook.added']])
  const foreign = await admin.call({ method: 'POST', path: `/v1/clients/scheduling/webhooks/${id}/test` })
  assert.equal(foreign.status, 404)
  assert.match((await admin.call({ path: '/v1/log/events?limit=1000' })).text, /webhook-test/)
})

test('while one secret takes over, messages verify by either, and no file of the node has one in clear', async () => {
  await using scene = await twoClients()
  const { network, mine } = scene
  const { holder } = network
  const admin = await adminOf(holder)
  const { json } = await admin.call({ path: '/v1/clients/billing/webhooks' })
  const [{ id } = { id: '' }] = json as { id: string }[]
  const path = `/v1/clients/billing/webhooks/${id}/secret`
  const changed = (await admin.call({ method: 'POST', path, body: {} })).json as { secret: string; formerEnds: string }
  assert.ok(Date.parse(changed.formerEnds) > network.clock.now())
  const revokeOne = async () => {
    const key = await issueKey(holder)
    await (await keysOf(holder)).keys.revoke(key.id, { by: 'operator' })
  }
  await revokeOne()
  await until('a message that the former secret verifies', () => typesAt(mine).includes('key.revoked'))
  mine.trust(changed.secret)
  await revokeOne()
  await until(
    'one that the new one verifies',
    () => typesAt(mine).filter((type) => type === 'key.revoked').length === 2,
  )
  const { text } = await admin.call({ path: '/v1/log/events?limit=1000' })
  assert.match(text, /client-webhook/)
  const files = await Promise.all(
    ['', '-wal'].map((end) => readFile(join(holder.directory, 'data', `comity.db${end}`), 'latin1').catch(() => '')),
  )
  for (const place of [text, holder.logged.join(), ...files]) {
    assert.ok(!place.includes(changed.secret.slice(6)), 'the secret is in clear')
    assert.doesNotMatch(place, /clients-own/)
  }
  assert.ok(files[0] !== '')
})
