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
  const rows = await holder.running.parts.foundation.database.all('SELECT client, state FROM client_webhooks')
  assert.deepEqual(
    rows.map((row) => ({ ...row })).toSorted((a, b) => String(a['client']).localeCompare(String(b['client']))),
    [
      { client: 'billing', state: 'ended' },
      { client: 'scheduling', state: 'active' },
    ],
  )
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

const hooks = (path = '') => ({ path: `/keys/webhooks${path}`, headers: {} })
type Shown = { id: string; secret: string; state: string }

test('a client sets a webhook itself, which is told of nothing before a code that was sent there is shown', async () => {
  await using network = await startKeyNetwork({
    holder: (config) =>
      void Object.assign(config['network'] as object, { allowPrivateClientWebhooks: ['127.0.0.0/8', '::1/128'] }),
  })
  const { holder, recipient } = network
  await using receiver = await startHookReceiver(recipient.running.parts.foundation.identity.tls())
  await addClient(holder)
  await addClient(holder, { id: 'scheduling' })
  const [key, foreign] = [await issueKey(holder), await issueKey(holder, {}, 'scheduling')]
  const call = async (path: string, body: object, { status = 200, by = key, method = 'POST' } = {}) => {
    const text = method === 'POST' ? { body: JSON.stringify(body) } : {}
    return answered(holder, presentKey(holder, by.text, { ...hooks(path), method, ...text }), status)
  }
  const body = { url: receiver.url, fingerprints: [recipient.fingerprint] }
  const added = JSON.parse((await call('', body, { status: 201 })).body.toString()) as Shown
  assert.equal(added.state, 'unconfirmed')
  receiver.trust(added.secret)
  await until('the code', () => receiver.events.length > 0)
  const [{ data } = { data: {} }] = receiver.events
  const { code, confirm } = data as { code: string; confirm: string }
  assert.equal(confirm, `${holder.url}/keys/webhooks/${added.id}/confirmation`)
  const { revoke } = (await keysOf(holder)).keys
  await revoke((await issueKey(holder)).id, { by: 'operator' })
  await holder.running.parts.webhooks.settled()
  assert.deepEqual(typesAt(receiver), ['webhook.added'], 'nothing before it is confirmed')
  const confirmation = `/${added.id}/confirmation`
  await call(confirmation, { code: `${code}x` }, { status: 409 })
  await call(confirmation, { code }, { status: 404, by: foreign })
  await call(`/${added.id}`, {}, { status: 404, by: foreign, method: 'DELETE' })
  await call(confirmation, { code })
  await revoke((await issueKey(holder)).id, { by: 'operator' })
  await until('the revocation', () => typesAt(receiver).includes('key.revoked'))
  await call(`/${added.id}`, {}, { status: 204, method: 'DELETE' })
  await revoke((await issueKey(holder)).id, { by: 'operator' })
  await holder.running.parts.webhooks.settled()
  assert.deepEqual(typesAt(receiver), ['webhook.added', 'key.revoked'])
})

test('a client reaches no address in clear, changes nothing that its operator set, and adds ten in a day at most', async () => {
  await using scene = await twoClients()
  const { holder } = scene.network
  const key = await issueKey(holder)
  const post = (path: string, body: object, status: number) =>
    answered(
      holder,
      presentKey(holder, key.text, { ...hooks(path), method: 'POST', body: JSON.stringify(body) }),
      status,
    )
  const remove = (id: string, status: number) =>
    answered(holder, presentKey(holder, key.text, { ...hooks(`/${id}`), method: 'DELETE' }), status)
  for (const url of ['http://127.0.0.1:1/', 'http://198.51.100.7/', 'https://user:pass@hooks.example/', 'file:///x'])
    await post('', { url }, 400)
  const list = await answered(holder, presentKey(holder, key.text, hooks()))
  assert.doesNotMatch(list.body.toString(), /whsec_|clients-own/)
  const { webhooks } = JSON.parse(list.body.toString()) as { webhooks: Shown[] }
  const [operators] = webhooks
  await remove(operators?.id ?? '', 409)
  await post(`/${operators?.id}/secret`, {}, 409)
  for (let index = 0; index < 10; index++) {
    const { body } = await post('', { url: 'https://hooks.example.test/' }, 201)
    await remove((JSON.parse(body.toString()) as Shown).id, 204)
  }
  await post('', { url: 'https://hooks.example.test/' }, 409)
  scene.network.clock.offsetMs += 25 * 3_600_000
  await post('', { url: 'https://hooks.example.test/' }, 201)
})

test('a key that is narrow, or for tests, sets no webhooks; a client cannot have one secret after the other', async () => {
  await using scene = await twoClients()
  const { holder } = scene.network
  const post = (key: string, path: string, body: object) =>
    presentKey(holder, key, { ...hooks(path), method: 'POST', body: JSON.stringify(body) })
  const hook = { url: 'https://hooks.example.test/' }
  const narrow = await issueKey(holder, { scope: { products: ['items'] } })
  await answered(holder, post(narrow.text, '', hook), 403)
  await answered(holder, post((await issueKey(holder, { environment: 'test' })).text, '', hook), 401)
  const whole = await issueKey(holder)
  const { id } = JSON.parse((await answered(holder, post(whole.text, '', hook), 201)).body.toString()) as Shown
  const secret = `/${id}/secret`
  await answered(holder, post(whole.text, secret, { overlapHours: 0 }), 400)
  for (const status of [201, 201, 201, 409]) await answered(holder, post(whole.text, secret, {}), status)
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
