/** Versions of the admin API follow the record that is shown, not how much it is used; between the look at a condition and
 *  the change nothing comes. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { shownBy } from '../src/admin/versions.ts'
import type { AdminRoute } from '../src/admin/route.ts'
import { declaredRoutes } from './admin-answers.ts'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { addClient, answered, issueKey, keysOf, presentKey, startKeyNetwork } from './key-network.ts'
import type { TestNetwork } from './test-network.ts'

/** What conditions can be made on, with what moves there by itself. Who adds something here has thought of that. */
const shown: Readonly<Record<string, readonly string[]>> = {
  '/v1/partners': [],
  '/v1/partners/{alias}': [],
  '/v1/products': [],
  '/v1/products/{id}': [],
  '/v1/agreements': [],
  '/v1/agreements/{id}': ['overlaps'],
  '/v1/keys': [],
  '/v1/clients': [],
  '/v1/clients/{id}': [],
  '/v1/clients/{id}/keys': ['lastUsed'],
  '/v1/clients/{id}/webhooks': [],
  '/v1/clients/{id}/webhooks/{webhook}': [],
  '/v1/api-keys/{id}': ['lastUsed'],
  '/v1/rotations/{id}': ['remaining'],
  '/v1/consents/{id}': [],
  '/v1/held-consents': [],
  '/v1/held-consents/{id}': [],
  '/v1/templates': [],
  '/v1/rights/requests': ['overdue'],
  '/v1/rights/requests/{id}': ['overdue'],
  '/v1/duties/{id}': ['overdue'],
  '/v1/policies': [],
  '/v1/replicas/{id}': ['validated', 'confirmed', 'until'],
  '/v1/quotas/requests/{id}': [],
  '/v1/quotas/counts/{limit}/{of}': ['used'],
  '/v1/quotas/asks': [],
  '/v1/webhooks': ['waiting', 'oldest', 'lastError', 'givenUp'],
}

const changes = declaredRoutes.filter(({ method, reads }) => method !== 'GET' && reads !== true)
const versioned = changes.filter((route) => shownBy(declaredRoutes, route) !== undefined)

test('what conditions are made on is known, and what moves there by itself is in no tag', () => {
  const found = versioned.map((route) => shownBy(declaredRoutes, route) as AdminRoute)
  assert.deepEqual(Object.fromEntries(found.map(({ path, live = [] }) => [path, live])), shown)
})

/** A body that the schema takes, where `{}` is none. */
const bodies: Readonly<Record<string, object>> = {
  '/v1/agreements/{id}/terminate': { reason: 'over' },
  '/v1/keys/rotate': { purposes: ['authentication'], publishForMs: 0, overlapMs: 0 },
  '/v1/consents/{id}/decide': {
    decision: 'refuse',
    lang: 'en',
    session: { channel: 'https://portal.example', acr: 'loa-2', amr: ['otp'], authTime: 1_771_000_000 },
  },
  '/v1/held-consents': { partner: 'holder', reference: 'athlete' },
  '/v1/held-consents/{id}/delegate': { delegate: 'x', until: '2027-01-01T00:00:00Z', grants: [{ grant: 'body' }] },
  '/v1/rights/requests': { reference: 'athlete', type: 'access' },
  '/v1/rights/requests/{id}/report': { product: 'items', state: 'done' },
  '/v1/rights/requests/{id}/extend': { reason: 'many' },
  '/v1/duties/{id}/report': { outcome: 'deleted' },
  '/v1/policies': { texts: [{ source: 'all', text: 'permit(principal, action, resource);' }] },
  '/v1/webhooks/test': { endpoint: 'https://hooks.example/' },
  '/v1/quotas/asks': { partner: 'recipient', limit: 'calls', units: 10, per: 'day', reason: 'more' },
}

/** What stands for the parameters of a path: nothing has this name. */
const target = ({ path }: AdminRoute) => path.replace(/\{\w+\}/g, 'nobody')

describe('a condition', () => {
  let network: TestNetwork
  let admin: AdminCaller
  before(async () => {
    network = await startKeyNetwork()
    admin = await adminOf(network.holder)
    await addClient(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  const tagOf = async (path: string) => String((await admin.call({ path })).headers['etag'])
  const changed = (address: string, tag: string, body: object = {}) => {
    const [method = '', path = ''] = address.split(' ')
    return admin.call({ method, path, body, headers: { 'if-match': tag } })
  }

  for (const route of versioned) {
    test(`is looked at by ${route.method} ${route.path}`, async () => {
      const body = bodies[route.path] ?? {}
      const { status, text } = await changed(`${route.method} ${target(route)}`, '"stale"', body)
      assert.equal(status, 412, text)
    })
  }

  test('holds for a key however much it is used meanwhile', async () => {
    const { id, text } = await issueKey(network.holder)
    const path = `/v1/api-keys/${id}`
    const [tag, ofAll] = [await tagOf(path), await tagOf('/v1/clients/billing/keys')]
    await answered(network.holder, presentKey(network.holder, text))
    const used = await admin.call({ path, headers: { 'if-none-match': tag } })
    assert.equal(used.status, 200, 'the last use is told')
    assert.equal((used.json as { lastUsed: { uses: number } }).lastUsed.uses, 1)
    assert.deepEqual([used.headers['etag'], await tagOf('/v1/clients/billing/keys')], [tag, ofAll])
    assert.equal((await changed(`PATCH ${path}`, tag, { labels: { a: 'b' } })).status, 200)
    assert.equal((await changed(`PATCH ${path}`, tag, { labels: {} })).status, 412, 'the record is another now')
    assert.equal((await changed(`POST ${path}/revoke`, tag)).status, 412)
    await answered(network.holder, presentKey(network.holder, text))
    assert.equal((await changed(`POST ${path}/revoke`, await tagOf(path))).status, 200)
    await answered(network.holder, presentKey(network.holder, text), 401)
  })

  test('needs no read between two changes: what was made or changed comes with its address and its tag', async () => {
    const body = { id: 'chained', name: 'Chained', kind: 'service', participant: 'recipient' }
    const made = await admin.call({ method: 'POST', path: '/v1/clients', body })
    const path = '/v1/clients/chained'
    assert.deepEqual([made.status, made.headers['location'], made.headers['etag']], [201, path, await tagOf(path)])
    const once = await changed(`PATCH ${path}`, String(made.headers['etag']), { name: 'Once' })
    assert.deepEqual([once.status, once.headers['etag']], [200, await tagOf(path)])
    assert.notEqual(once.headers['etag'], made.headers['etag'])
    assert.equal((await changed(`PATCH ${path}`, String(once.headers['etag']), { name: 'Twice' })).status, 200)
    assert.equal((await changed(`PATCH ${path}`, String(once.headers['etag']), { name: 'Late' })).status, 412)
    const issued = await admin.call({ method: 'POST', path: `${path}/keys`, body: {} })
    const place = `/v1/api-keys/${(issued.json as { id: string }).id}`
    const given = [issued.status, issued.headers['location'], issued.headers['etag']]
    assert.deepEqual(given, [201, place, await tagOf(place)], 'a key is shown elsewhere than where it is issued')
  })

  test('needs no read after a rotation was begun, or a successor made', async () => {
    const { id } = await issueKey(network.holder)
    const post = (path: string) => admin.call({ method: 'POST', path, body: {} })
    const placeAndTag = ({ headers }: Awaited<ReturnType<typeof post>>) => [headers['location'], headers['etag']]
    const begun = await post(`/v1/api-keys/${id}/rotate`)
    const place = `/v1/rotations/${(begun.json as { rotation: { id: string } }).rotation.id}`
    assert.deepEqual(placeAndTag(begun), [place, await tagOf(place)])
    const replaced = await post(`${place}/successor`)
    const next = `/v1/api-keys/${(replaced.json as { successor: { id: string } }).successor.id}`
    assert.deepEqual(placeAndTag(replaced), [next, await tagOf(next)])
  })

  test('holds for a rotation whose old key is still used', async () => {
    const { id, text } = await issueKey(network.holder)
    const { rotation } = await (await keysOf(network.holder)).rotations.rotate(id, {}, 'operator')
    const path = `/v1/rotations/${rotation.id}`
    const tag = await tagOf(path)
    await answered(network.holder, presentKey(network.holder, text))
    const { json, headers } = await admin.call({ path })
    assert.equal((json as { remaining: object[] }).remaining.length, 1)
    assert.equal(headers['etag'], tag)
    assert.equal((await changed(`POST ${path}/drain`, tag)).status, 200)
    assert.equal((await changed(`POST ${path}/complete`, tag)).status, 412)
  })

  test('is looked at after what others change at the same moment', async () => {
    const { id } = await issueKey(network.holder)
    const keys = await keysOf(network.holder)
    const path = `/v1/api-keys/${id}`
    const tag = await tagOf(path)
    // As a client's renewal, a policy or the clock: in its turn, when the operator's change comes in.
    const operator = await keys.inTurn(async (commands) => {
      const pending = changed(`PATCH ${path}`, tag, { labels: { by: 'operator' } })
      await sleep(100)
      await commands.keys.change(id, { labels: { by: 'another' } })
      return { pending }
    })
    assert.equal((await operator.pending).status, 412)
    assert.deepEqual((await keys.showKey(id)).labels, { by: 'another' })
  })

  test('that does not hold leaves a key that should be revoked at work', async () => {
    const { id, text } = await issueKey(network.holder)
    assert.equal((await changed(`POST /v1/api-keys/${id}/revoke`, '"stale"')).status, 412)
    await answered(network.holder, presentKey(network.holder, text))
  })
})
