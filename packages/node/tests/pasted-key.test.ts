/** What an operator has at hand when a key leaked is the key itself: it is ended by it, and its secret goes nowhere. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type { ApiKeyView, IssuedKeyView } from '../src/admin/client-api.ts'
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
  await admin.call({ method: 'POST', path: '/v1/clients', body: { id: 'billing' } })
})
after(() => network[Symbol.asyncDispose]())

const comity = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)
const issue = async () =>
  (await admin.call({ method: 'POST', path: '/v1/clients/billing/keys', body: {} })).json as IssuedKeyView
const stateOf = async (id: string) => ((await admin.call({ path: `/v1/api-keys/${id}` })).json as ApiKeyView).state

test('the command ends, disables and shows a key by the key itself and by its name, and prints no secret', async () => {
  const { key, id, name } = await issue()
  const { secret } = parseApiKey(key)
  for (const [verb, state] of [
    ['show', 'active'],
    ['disable', 'disabled'],
    ['enable', 'active'],
    ['revoke', 'revoked'],
  ] as const) {
    const { code, out, error } = await comity('api-keys', verb, key)
    assert.deepEqual([code, error, out.includes(secret), await stateOf(id)], [0, '', false, state])
  }
  assert.match((await comity('api-keys', 'show', name)).out, /"state": "revoked"/)
})

test('a key that some of is missing is refused by the command, unsent and unprinted', async () => {
  const { key, id } = await issue()
  const { code, out, error } = await comity('api-keys', 'revoke', key.slice(0, -2))
  assert.deepEqual([code, out, await stateOf(id)], [1, '', 'active'])
  assert.match(error, /not an API key/)
  assert.equal(error.includes(parseApiKey(key).secret.slice(0, 8)), false)
})

test('the admin API takes a whole key in a path for its id, and repeats none in a problem', async () => {
  const { key, id } = await issue()
  const secret = parseApiKey(key).secret.slice(0, 8)
  for (const path of [
    `/v1/api-keys/${key.slice(0, -2)}`,
    `/v1/clients/${key}`,
    `/v1/usage?by=${key}`,
    `/v1/api-keys?client=${key}`,
  ]) {
    const { status, text } = await admin.call({ path })
    assert.ok([400, 404].includes(status), text)
    assert.equal(text.includes(secret), false, text)
  }
  assert.equal((await admin.call({ method: 'POST', path: `/v1/api-keys/${key}/revoke`, body: {} })).status, 200)
  assert.equal(await stateOf(id), 'revoked')
})

test('a key is disabled, enabled, rotated and revoked without a body', async () => {
  const { id } = await issue()
  for (const verb of ['disable', 'enable', 'rotate', 'revoke'])
    assert.ok((await admin.call({ method: 'POST', path: `/v1/api-keys/${id}/${verb}` })).status < 300, verb)
  assert.equal((await admin.call({ method: 'POST', path: '/v1/clients/billing/keys' })).status, 415)
})

test('what is refused is repeated as it was written, in words of people', async () => {
  const post = async (body: object) =>
    ((await admin.call({ method: 'POST', path: '/v1/clients/billing/keys', body })).json as { detail: string }).detail
  const scope = { products: ['athletes'], operations: ['energy/getMeter'] }
  assert.match(await post({ scope }), /`energy\/getMeter` is of a product/)
  assert.match(await post({ networks: ['here'] }), /CIDR/)
  assert.match(await post({ lifetimeDays: 1e8 }), /must be at most 3650/)
  assert.match(await post({ lifetimeDays: 1.5 }), /must be a whole number/)
  assert.match(await post({ expires: '2100-01-01' }), /such as `2026-03-01T00:00:00Z`/)
})
