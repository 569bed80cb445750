/** Webhooks of clients by the command and by the admin API: added, listed, given another secret, removed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type { ClientWebhookView, KeyedClientWebhookView } from '../src/admin/client-webhook-api.ts'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { freePort } from './free-port.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

let network: TestNetwork
let admin: AdminCaller
before(async () => {
  const port = await freePort()
  network = await startTestNetwork({
    holder: (config) => Object.assign(config['listen'] as object, { admin: { port } }),
  })
  admin = await adminOf(network.holder)
})
after(() => network[Symbol.asyncDispose]())

const run = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)
async function comity<T>(...args: string[]): Promise<T> {
  const { code, out, error } = await run('--json', ...args)
  assert.equal(code, 0, error || out)
  return JSON.parse(out) as T
}
const list = (client: string) => comity<ClientWebhookView[]>('clients', 'webhooks', 'list', client)
const url = 'https://hooks.example.test/in?key=clients-own'

test('the command adds a client with a webhook, shows its secret once, and takes it away again', async () => {
  const { webhook } = await comity<{ webhook: KeyedClientWebhookView }>('clients', 'add', 'billing', '--webhook', url)
  assert.match(webhook.secret ?? '', /^whsec_/)
  const [listed, ...others] = await list('billing')
  assert.deepEqual([listed?.id, listed?.endpoint, others], [webhook.id, 'https://hooks.example.test/in', []])
  const printed = await run('clients', 'webhooks', 'list', 'billing')
  assert.match(printed.out, /hooks\.example\.test/)
  assert.doesNotMatch(printed.out + JSON.stringify(listed), /whsec_|clients-own/)
  const secret = ['clients', 'webhooks', 'secret', 'billing', webhook.id] as const
  const changed = await comity<KeyedClientWebhookView>(...secret, '--overlap', '2')
  assert.notEqual(changed.secret, webhook.secret)
  assert.ok(Date.parse(changed.formerEnds ?? '') > network.clock.now())
  assert.equal((await comity<KeyedClientWebhookView>(...secret, '--overlap', '0')).formerEnds, undefined)
  await comity('clients', 'webhooks', 'remove', 'billing', webhook.id)
  assert.deepEqual(await list('billing'), [])
  assert.notEqual((await run('clients', 'webhooks', 'remove', 'billing', webhook.id)).code, 0)
})

test('the command narrows what is told, and gives a public key where that is asked for', async () => {
  await comity('clients', 'add', 'signing')
  const options = ['--ed25519', '--event', 'key.rotating', 'quota.near']
  const added = await comity<KeyedClientWebhookView>('clients', 'webhooks', 'add', 'signing', url, ...options)
  assert.deepEqual([added.format, added.events, added.secret], ['ed25519', ['key.rotating', 'quota.near'], undefined])
  assert.match(added.publicKey ?? '', /^whpk_/)
  assert.deepEqual((await list('signing'))[0]?.publicKeys, [added.publicKey])
  const plain = await run('clients', 'webhooks', 'add', 'signing', 'http://hooks.example.test/')
  assert.notEqual(plain.code, 0)
  assert.notEqual((await run('clients', 'webhooks', 'add', 'nobody', url)).code, 0)
})

test('one webhook is read and removed over the admin API, in the version that was seen and of its client alone', async () => {
  await comity('clients', 'add', 'versioned', '--webhook', url)
  await comity('clients', 'add', 'stranger')
  const [{ id } = { id: '' }] = await list('versioned')
  const path = `/v1/clients/versioned/webhooks/${id}`
  const seen = await admin.call({ path })
  assert.deepEqual([seen.status, (seen.json as ClientWebhookView).id], [200, id])
  const tag = String(seen.headers['etag'])
  assert.equal((await admin.call({ method: 'POST', path: `${path}/secret`, body: {} })).status, 201)
  const stale = await admin.call({ method: 'DELETE', path, headers: { 'if-match': tag } })
  assert.deepEqual([stale.status, (stale.json as { code: string }).code], [412, 'precondition-failed'])
  for (const method of ['GET', 'DELETE']) {
    const foreign = await admin.call({ method, path: `/v1/clients/stranger/webhooks/${id}` })
    assert.deepEqual([foreign.status, (foreign.json as { code: string }).code], [404, 'client-webhook-unknown'])
  }
  const current = String((await admin.call({ path })).headers['etag'])
  assert.equal((await admin.call({ method: 'DELETE', path, headers: { 'if-match': current } })).status, 204)
  assert.equal((await admin.call({ path })).status, 404)
})

test('the list of messages names the client that one is for, and nothing of its address but origin and path', async () => {
  await comity('clients', 'add', 'named', '--webhook', url)
  const { json, text } = await admin.call({ path: '/v1/webhooks/messages' })
  const messages = json as { client?: string; type: string; endpoint: string }[]
  const mine = messages.find(({ client }) => client === 'named')
  assert.deepEqual([mine?.type, mine?.endpoint], ['webhook.added', 'https://hooks.example.test/in'])
  assert.doesNotMatch(text, /clients-own|#/)
  const standing = (await admin.call({ path: '/v1/webhooks' })).json as { client?: string; waiting: number }[]
  assert.equal(standing.find(({ client }) => client === 'named')?.waiting, 1)
})
