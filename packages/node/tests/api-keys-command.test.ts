/** Clients and API keys of a running node, by its admin API and by the command: from the first client to a key that is
 *  rotated and revoked, and again after a restart. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type {
  ApiKeyView,
  BegunRotationView,
  ClientView,
  IssuedKeyView,
  RevokedKeyView,
  RotationDetailsView,
} from '../src/admin/client-api.ts'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { createApiKeyStore } from '../src/api-keys/api-key-store-sql.ts'
import { clientRequestSchema } from '../src/api-keys/client.ts'
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

const at = { address: '192.0.2.17', environment: 'live' } as const
/** How the running node answers to the key. */
function ask(key: string): string {
  const { apiKeys } = network.holder.running.parts
  try {
    return apiKeys.port.authenticate(key, at, Date.now()).client
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error.code
  }
}

async function comity<T>(...args: string[]): Promise<T> {
  const { code, out, error } = await runQuietly('-c', network.holder.configFile, '--json', ...args)
  assert.equal(code, 0, error || out)
  return JSON.parse(out) as T
}

const post = async (path: string, body: unknown = {}) => admin.call({ method: 'POST', path, body })

test('a node without clients loads nothing for them, and knows no key', () => {
  const { apiKeys } = network.holder.running.parts
  assert.equal(apiKeys.loaded, undefined)
  assert.equal(ask('cmty_live_x'), 'key-malformed')
  const { secret } = apiKeys.port.macKeyOf('cmty_live_nobody00')
  assert.equal(secret.length, 32)
})

test('a client, its key, its rotation and its end, as the command does them', async () => {
  const { did } = network.recipient
  await comity('clients', 'add', 'billing', '--participant', did, '--label', 'team=money', '--rotate-every', '90')
  const issued = await comity<IssuedKeyView>('api-keys', 'issue', 'billing', '--network', '192.0.2.0/24')
  assert.equal(ask(issued.key), 'billing')
  network.holder.running.parts.apiKeys.port.used(issued.id, at, Date.now())
  const begun = await comity<BegunRotationView>('api-keys', 'rotate', issued.id, '--overlap', '1')
  const successor = begun.successor ?? assert.fail()
  assert.deepEqual([begun.rotation.state, ask(issued.key), ask(successor.key)], ['overlapping', 'billing', 'billing'])
  network.holder.running.parts.apiKeys.port.used(issued.id, at, Date.now())
  const details = await comity<RotationDetailsView>('api-keys', 'rotations', begun.rotation.id)
  assert.deepEqual(
    details.remaining.map(({ network: from, uses }) => [from, uses]),
    [['192.0.2.0/24', 1]],
  )
  await comity('api-keys', 'complete', begun.rotation.id, '--yes')
  assert.deepEqual([ask(issued.key), ask(successor.key)], ['key-expired', 'billing'])
  const revoked = await comity<ApiKeyView>('api-keys', 'revoke', successor.id, '--reason', 'leaked')
  assert.deepEqual([revoked.state, revoked.reason, ask(successor.key)], ['revoked', 'leaked', 'key-revoked'])
})

test('the command prints a new key once, with what to do with it, and never again', async () => {
  const { out } = await runQuietly('-c', network.holder.configFile, 'api-keys', 'issue', 'billing')
  const [key = ''] = /cmty_live_\w+/.exec(out) ?? []
  assert.equal(ask(key), 'billing')
  assert.match(out, /only time that it is shown/)
  const { secret, id } = parseApiKey(key)
  for (const args of [['list'], ['show', id], ['rotations']]) {
    const printed = await runQuietly('-c', network.holder.configFile, 'api-keys', ...args)
    assert.equal(printed.code, 0)
    assert.equal(printed.out.includes(secret), false)
  }
  const rotations = await runQuietly('-c', network.holder.configFile, 'api-keys', 'rotations')
  assert.match(rotations.out, /^id +client +old key +successor +state /)
  const shown = await runQuietly('-c', network.holder.configFile, 'clients', 'show', 'billing')
  assert.ok(shown.out.includes(id))
})

test('the admin API pages keys, refuses what cannot be meant, and changes what is given', async () => {
  const first = await admin.call({ path: '/v1/api-keys?limit=1' })
  assert.match(String(first.headers['link']), /after=\w{8}/)
  const codes = async (path: string, body: unknown) => ((await post(path, body)).json as { code: string }).code
  assert.equal(await codes('/v1/clients', { id: 'billing' }), 'already-exists')
  assert.equal(await codes('/v1/clients', { id: 'x', participant: 'nobody' }), 'partner-unknown')
  assert.equal(await codes('/v1/clients/ghost/keys', {}), 'client-unknown')
  assert.equal(await codes('/v1/clients/billing/keys', { networks: ['here'] }), 'malformed-request')
  assert.equal(await codes('/v1/api-keys/ghost000/revoke', {}), 'api-key-unknown')
  assert.equal(await codes('/v1/rotations/ghost/complete', {}), 'key-rotation-unknown')
  const { id } = (await post('/v1/clients/billing/keys', {})).json as IssuedKeyView
  const path = `/v1/api-keys/${id}`
  const body = { scope: { products: ['athletes'] }, networks: ['10.0.0.0/8'], expires: '2100-01-01T00:00:00Z' }
  const changed = (await admin.call({ method: 'PATCH', path, body })).json as ApiKeyView
  assert.deepEqual([changed.scope, changed.networks, changed.expires], [body.scope, body.networks, body.expires])
  const { rotation } = (await post(`${path}/rotate`, { successor: 'claim' })).json as BegunRotationView
  assert.equal(rotation.to, undefined)
  assert.equal(await codes(`${path}/rotate`, {}), 'key-rotation-refused')
  assert.equal((await post(`/v1/rotations/${rotation.id}/successor`)).status, 201)
  assert.equal((await post(`/v1/rotations/${rotation.id}/roll-back`)).status, 200)
  assert.equal((await admin.call({ path: '/v1/rotations?running=true' })).text, '[]')
})

test('after a restart keys are as they were, and no secret of any is in a file or a meter', async () => {
  const issued = (await post('/v1/clients/billing/keys', { use: 'hmac' })).json as IssuedKeyView
  const plain = (await post('/v1/clients/billing/keys')).json as IssuedKeyView
  await network.holder.stop()
  await network.holder.start()
  admin = await adminOf(network.holder)
  assert.notEqual(network.holder.running.parts.apiKeys.loaded, undefined)
  assert.deepEqual([ask(plain.key), ask(issued.key)], ['billing', 'key-use'])
  const { text } = await admin.call({ path: '/metrics' })
  assert.match(text, /comity_api_keys \d/)
  const { directory } = network.holder
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
  for (const key of [issued.key, plain.key]) {
    const { secret } = parseApiKey(key)
    for (const bytes of [...files, Buffer.from(text)]) assert.equal(bytes.includes(secret.slice(0, 10)), false)
  }
})

test('a leaked key is revoked with what was claimed with it, and the command says what works', async () => {
  await comity('clients', 'add', 'portal')
  const old = await comity<IssuedKeyView>('api-keys', 'issue', 'portal')
  await comity('api-keys', 'rotate', old.id, '--claim')
  const { keyId, key } = await network.holder.running.parts.apiKeys.port.renew(old.id, old.key)
  const printed = await runQuietly('-c', network.holder.configFile, 'api-keys', 'revoke', old.id, '--reason', 'leaked')
  assert.deepEqual([ask(old.key), ask(key)], ['key-revoked', 'key-revoked'])
  assert.match(printed.out, new RegExp(`${old.name} is revoked, for the very next call\nended with it.*: ${keyId}\n`))
  assert.match(printed.out, /no key of portal works now; `comity api-keys issue portal`/)
  const kept = await comity<IssuedKeyView>('api-keys', 'issue', 'portal')
  await comity('api-keys', 'rotate', kept.id, '--claim')
  const next = await network.holder.running.parts.apiKeys.port.renew(kept.id, kept.key)
  const { alsoEnded, working } = await comity<RevokedKeyView>('api-keys', 'revoke', kept.id, '--keep-claimed')
  assert.deepEqual([alsoEnded, working, ask(next.key)], [[], [next.keyId], 'portal'])
})

test('policies and terms that never count are warned of, and an ended rotation is named as what it is', async () => {
  const { warnings = [] } = await comity<ClientView>('clients', 'add', 'hasty', '--rotate-every', '3', '--overlap', '5')
  assert.match(warnings.join(), /both work for 5 days, longer than the 3 after which/)
  const key = await comity<IssuedKeyView>('api-keys', 'issue', 'hasty', '--lifetime-days', '2', '--field', 'nmae')
  assert.match(key.warnings?.join('\n') ?? '', /`nmae`\n.*good for 2 days, so `rotateEveryDays` \(3\)/)
  const other = await comity<IssuedKeyView>('api-keys', 'issue', 'hasty', '--environment', 'test')
  assert.match(other.warnings?.join() ?? '', /a `test` key is refused/)
  const { rotation } = await comity<BegunRotationView>('api-keys', 'rotate', key.id)
  await comity('api-keys', 'roll-back', rotation.id)
  const { status, json } = await post(`/v1/rotations/${rotation.id}/complete`)
  assert.deepEqual([status, (json as { code: string }).code], [409, 'key-rotation-refused'])
  assert.match((json as { detail: string }).detail, /has ended: it is rolled-back/)
})

test('who disables a key reads what was claimed with it and goes on; a change of it reaches its successor', async () => {
  await comity('clients', 'add', 'kiosk')
  const old = await comity<IssuedKeyView>('api-keys', 'issue', 'kiosk')
  await comity('api-keys', 'rotate', old.id, '--claim')
  const { keyId, key } = await network.holder.running.parts.apiKeys.port.renew(old.id, old.key)
  await comity('api-keys', 'set', old.id, '--network', '198.51.100.0/24')
  assert.deepEqual([ask(old.key), ask(key)], ['key-network', 'key-network'])
  await comity('api-keys', 'set', old.id, '--remove', 'network')
  const printed = await runQuietly('-c', network.holder.configFile, 'api-keys', 'disable', old.id)
  assert.deepEqual([ask(old.key), ask(key)], ['key-disabled', 'kiosk'])
  assert.match(printed.out, new RegExp(`claimed with it and goes on: ${keyId}; \\S*comity api-keys revoke ${old.id}`))
  assert.match(printed.out, new RegExp(`still works: ${keyId}$`))
})

test('a revocation counts before the storage of idempotency keys is asked, and is written when that is possible', async () => {
  const { apiKeys, foundation } = network.holder.running.parts
  const { id, key } = (await post('/v1/clients/portal/keys')).json as IssuedKeyView
  const path = `/v1/api-keys/${id}/revoke`
  const revoke = (name: string) =>
    admin.call({ method: 'POST', path, body: {}, headers: { 'idempotency-key': name }, isBroken: true })
  assert.equal((await revoke('not a string')).status, 400)
  assert.equal(ask(key), 'portal', 'that was no call')
  const away = (from: string, to: string) =>
    foundation.database.execute([{ sql: `ALTER TABLE ${from} RENAME TO ${to}` }])
  await away('admin_repeats', 'admin_repeats_away')
  const { status } = await revoke('"r1"')
  await away('admin_repeats_away', 'admin_repeats')
  assert.deepEqual([status, ask(key)], [500, 'key-revoked'])
  await apiKeys.tend()
  assert.equal(((await admin.call({ path: `/v1/api-keys/${id}` })).json as ApiKeyView).state, 'revoked')
})

test('the keys of a client that is removed are refused before its turn comes', async () => {
  const { apiKeys } = network.holder.running.parts
  await comity('clients', 'add', 'leaver')
  const { key } = (await post('/v1/clients/leaver/keys')).json as IssuedKeyView
  const path = '/v1/clients/leaver'
  const { headers } = await admin.call({ path })
  const [held, changing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const keys = await apiKeys.load()
  // The change takes the turn of this client, and waits for the turn of all keys.
  const turn = keys.inTurn(() => held.promise)
  const inTurn = keys.inTurn.bind(keys)
  Object.assign(keys, { inTurn: (work: never) => (changing.resolve(), inTurn(work)) })
  const body = { name: 'L' }
  const change = admin.call({ method: 'PATCH', path, body, headers: { 'if-match': String(headers['etag']) } })
  await changing.promise
  const removal = admin.call({ method: 'DELETE', path })
  while (ask(key) !== 'key-revoked') await setTimeout(5)
  const { cutOff } = (await admin.call({ path })).json as ClientView
  assert.equal(cutOff, true, 'and the client is shown as what it is')
  held.resolve()
  await turn
  Object.assign(keys, { inTurn })
  assert.deepEqual([(await change).status, (await removal).status], [412, 204])
})

test('who adds a client whose rotations would wait for the operator is warned', async () => {
  const add = (...args: string[]) => runQuietly('-c', network.holder.configFile, 'clients', 'add', ...args)
  const { out } = await add('slow', '--rotate-every', '30', '--no-self-renewal')
  assert.match(out, /each rotation waits until you make it/)
  assert.doesNotMatch((await add('quick', '--rotate-every', '30')).out, /waits/)
  const shown = await runQuietly('-c', network.holder.configFile, 'clients', 'show', 'slow')
  assert.match(shown.out, /each rotation waits until you make it/)
})

test('a client that is removed has no key any more', async () => {
  const { key } = (await post('/v1/clients/billing/keys')).json as IssuedKeyView
  assert.equal(ask(key), 'billing')
  await comity('clients', 'remove', 'billing', '--yes')
  assert.equal(ask(key), 'key-revoked')
  const events = await network.holder.running.parts.auditLog.readEvents({ limit: 10_000 })
  const actions = events
    .filter(({ type }) => type === 'api-key')
    .map(({ body }) => (JSON.parse(String(body)) as { action: string }).action)
  for (const action of [
    'client-add',
    'key-issue',
    'rotation-prepare',
    'rotation-complete',
    'key-revoke',
    'client-remove',
  ])
    assert.ok(actions.includes(action), action)
})

test('of more clients than a page has the command shows all', async () => {
  const { holder } = network
  const { database } = holder.running.parts.foundation
  const store = createApiKeyStore(database)
  const { id: _, ...terms } = clientRequestSchema.parse({ id: 'x', kind: 'application' })
  const times = { owner: undefined, createdMs: 1, removedMs: undefined }
  const many = Array.from({ length: 1_001 }, (_unused, i) => `many-${String(i).padStart(4, '0')}`)
  await database.execute(
    many.map((id) => store.insertClient({ ...terms, id, name: id, participant: undefined, ...times })),
  )
  await holder.stop()
  await holder.start()
  const listed = await comity<{ id: string }[]>('clients', 'list')
  assert.deepEqual(
    listed.map(({ id }) => id).filter((id) => id.startsWith('many-')),
    many,
  )
})

test('lists by a client that never was say so, and those by one that was removed show what it had', async () => {
  await post('/v1/clients', { id: 'short-lived' })
  const { id } = (await post('/v1/clients/short-lived/keys', {})).json as IssuedKeyView
  await admin.call({ method: 'DELETE', path: '/v1/clients/short-lived' })
  for (const path of ['/v1/api-keys', '/v1/rotations', '/v1/usage']) {
    const { status, json } = await admin.call({ path: `${path}?client=shortlived` })
    assert.deepEqual([status, (json as { code?: string }).code], [404, 'client-unknown'], path)
    assert.equal((await admin.call({ path: `${path}?client=short-lived` })).status, 200, path)
  }
  const { json } = await admin.call({ path: '/v1/api-keys?client=short-lived' })
  assert.deepEqual(
    (json as ApiKeyView[]).map((key) => key.id),
    [id],
  )
})
