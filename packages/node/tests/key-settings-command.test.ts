/** What an operator sees of keys and changes of them by the command alone, while calls run. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type { ApiKeyView, BegunRotationView, ClientView, IssuedKeyView } from '../src/admin/client-api.ts'
import { freePort } from './free-port.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

let network: TestNetwork
before(async () => {
  const port = await freePort()
  network = await startTestNetwork({
    holder: (config) => Object.assign(config['listen'] as object, { admin: { port } }),
  })
  await comity('clients', 'add', 'billing')
  await comity('clients', 'add', 'portal')
})
after(() => network[Symbol.asyncDispose]())

const run = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)
async function comity<T>(...args: string[]): Promise<T> {
  const { code, out, error } = await run('--json', ...args)
  assert.equal(code, 0, error || out)
  return JSON.parse(out) as T
}
const issue = (client: string, ...args: string[]) => comity<IssuedKeyView>('api-keys', 'issue', client, ...args)
const listed = async (...args: string[]) =>
  (await comity<ApiKeyView[]>('api-keys', 'list', ...args)).map(({ id }) => id)

test('a client is changed by the command: what is given changes, what is left out stays, entries go away', async () => {
  const set = (...args: string[]) => comity<ClientView>('clients', 'set', 'billing', ...args)
  const first = await set('--owner', 'ops', '--label', 'team=money', '--rotate-every', '90', '--no-self-renewal')
  assert.deepEqual(
    [first.owner, first.labels, first.policies.rotateEveryDays, first.policies.selfRenewal],
    ['ops', { team: 'money' }, 90, false],
  )
  const second = await set('--remove', 'rotate-every', '--overlap', '7')
  assert.deepEqual(
    [second.owner, second.policies.rotateEveryDays, second.policies.overlapDays, second.policies.selfRenewal],
    ['ops', undefined, 7, false],
  )
  assert.match((await run('clients', 'set', 'billing')).error, /nothing is given to change/)
})

test('a key is changed by the command, by the key itself: networks, scope, end, labels', async () => {
  const { key, id } = await issue('billing', '--product', 'athletes', '--field', 'name')
  const set = (...args: string[]) => comity<ApiKeyView>('api-keys', 'set', key, ...args)
  const first = await set('--network', '192.0.2.7', '--expires', '2100-01-01', '--label', 'team=money')
  assert.deepEqual(
    [first.id, first.networks, first.expires, first.labels, first.scope],
    [id, ['192.0.2.7/32'], '2100-01-01T00:00:00Z', { team: 'money' }, { products: ['athletes'], fields: ['name'] }],
  )
  const second = await set('--remove', 'network', 'field', 'expires')
  assert.deepEqual(
    [second.networks, second.expires, second.labels, second.scope],
    [[], undefined, { team: 'money' }, { products: ['athletes'] }],
  )
})

test('lists tell a key before its time, and choose by client and label; wide ones what it is good for', async () => {
  const { id } = await issue('portal', '--not-before', '2099-01-01', '--label', 'team=web', '--network', '192.0.2.7')
  const other = await issue('portal', '--label', 'team=money')
  assert.deepEqual(await listed('--client', 'portal', '--label', 'team=web'), [id])
  assert.deepEqual(await listed('--client', 'portal'), [id, other.id])
  assert.match((await run('api-keys', 'list')).out, new RegExp(`${id} .*not yet \\(from 2099-01-01T00:00:00Z\\)`))
  const wide = (await run('api-keys', 'list', '--wide')).out
  assert.match(wide, /rotation +scope +networks +owner +labels\n/)
  assert.match(wide, new RegExp(`${id} .*all +192\\.0\\.2\\.7/32 +team=web`))
})

test('who issues a key for what is not there, or for a product that takes none, is warned', async () => {
  const warned = async (...args: string[]) => (await run('api-keys', 'issue', 'billing', ...args)).out
  assert.match(await warned('--product', 'nonsense'), /warning: this node offers no product `nonsense`/)
  assert.match(await warned('--product', 'items'), /`items` takes no API keys: its declaration needs `keys: plain`/)
  assert.match(await warned('--operation', 'open-items/nonsense'), /`open-items` has no operation `nonsense`/)
  const { id } = await issue('billing')
  assert.match((await run('api-keys', 'set', id, '--product', 'gone')).out, /warning: this node offers no product/)
})

test('a rotation whose old key is in use, or whose successor never was, is completed on demand only', async () => {
  const old = await issue('portal')
  const { rotation } = await comity<BegunRotationView>('api-keys', 'rotate', old.id)
  const { port } = network.holder.running.parts.apiKeys
  port.used(old.id, { address: '192.0.2.17' }, Date.now())
  const refused = await run('api-keys', 'complete', rotation.id)
  assert.equal(refused.code, 1)
  assert.match(refused.error, new RegExp(`nobody has used ${rotation.to} yet; ${old.id} was used .*192\\.0\\.2\\.0/24`))
  assert.match((await run('api-keys', 'complete', rotation.id, '--yes')).out, /is completed/)
})

test('a rotation is completed at once where the successor alone is in use', async () => {
  const old = await issue('portal')
  const { rotation } = await comity<BegunRotationView>('api-keys', 'rotate', old.id)
  const { port } = network.holder.running.parts.apiKeys
  port.used(String(rotation.to), { address: '192.0.2.17' }, Date.now())
  assert.match((await run('api-keys', 'complete', rotation.id)).out, /is completed/)
})

test('a client with keys that work is removed on demand only, and one without at once', async () => {
  const refused = await run('clients', 'remove', 'portal')
  assert.deepEqual([refused.code, refused.out], [1, ''])
  assert.match(refused.error, /portal has keys that have not ended: .*never free again, so say `--yes`/)
  assert.equal((await run('clients', 'remove', 'portal', '--yes')).code, 0)
  await comity('clients', 'add', 'empty')
  assert.equal((await run('clients', 'remove', 'empty')).code, 0)
})

test('the newest entries of the log are shown, oldest of them first', async () => {
  await comity('clients', 'add', 'newest')
  const events = await comity<{ position: number; body: string }[]>('log', 'show', '--last', '2')
  assert.equal(events.length, 2)
  assert.match(String(events.at(-1)?.body), /"client":"newest"/)
  const all = await comity<unknown[]>('log', 'show', '--last', '10000')
  assert.equal(all.length, Number(events.at(-1)?.position) + 1)
})

test('a rotation that waits for its moment is not completed, with `--yes` or without, and is shown as what it is', async () => {
  const { id } = await issue('billing')
  const { rotation } = await comity<BegunRotationView>('api-keys', 'rotate', id, '--starts-at', '2100-01-01T00:00:00Z')
  assert.match((await run('api-keys', 'rotations', rotation.id)).out, /\nfrom 2100-01-01T00:00:00Z both keys work$/)
  for (const args of [[], ['--yes']]) {
    const { error } = await run('api-keys', 'complete', rotation.id, ...args)
    assert.match(error, /a rotation that is prepared cannot become completed before both keys work: start it first/)
    assert.doesNotMatch(error, /--yes/)
  }
})
