/** A higher quota: asked by a partner, decided by the operator, told to who asked. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { quotaDecided } from '@comity/core/events/event-types'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import type { QuotaAskView, QuotaCountView, QuotaRequestView } from '../src/admin/quota-api.ts'
import type { QuotaForecastView } from '../src/admin/usage-api.ts'
import { adminOf } from './admin-call.ts'
import { freePort } from './free-port.ts'
import { send, signCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

const rules = [
  { name: 'daily', by: ['participant'], for: { products: ['items'] }, quota: { units: 2, per: 'day' } },
  { name: 'of-others', by: ['participant'], for: { participants: ['somebody'] }, quota: { units: 2, per: 'day' } },
  { name: 'for-all', by: [], quota: { units: 1_000, per: 'day' } },
  { name: 'by-product', by: ['participant', 'product'], quota: { units: 1_000, per: 'day' } },
]

/** Both nodes tell a system that nobody answers for: what they tell waits in the outbox. */
async function start(): Promise<TestNetwork> {
  const silent = await freePort()
  const tells = (config: Record<string, unknown>, root: string) => {
    const file = join(root, `secret-${Math.random()}`)
    writeFileSync(file, `whsec_${randomBytes(32).toString('base64')}`, { mode: 0o600 })
    config['webhooks'] = [{ url: `http://127.0.0.1:${silent}/`, secret: { file } }]
  }
  const network = await startTestNetwork({
    isNoon: true,
    holder(config, root) {
      config['limits'] = { ...(config['limits'] as object), rules }
      tells(config, root)
    },
    recipient: tells,
  })
  await network.agree()
  return network
}

async function operate<T>(node: TestNode, path: string, body?: unknown): Promise<{ status: number; json: T }> {
  const { status, json } = await (await adminOf(node)).call({ method: body === undefined ? 'GET' : 'POST', path, body })
  return { status, json: json as T }
}

async function call({ recipient }: TestNetwork): Promise<number> {
  const answer = await fetch(recipient.local('/holder/items/items'), { headers: { 'comity-purpose': testPurpose } })
  await answer.arrayBuffer()
  return answer.status
}

const told = async (node: TestNode, type: string) =>
  (await node.running.parts.consent.webhooks.list()).filter((message) => message.type === type)

const wish = { partner: 'holder', limit: 'daily', units: 4, per: 'day', reason: 'a study' }

async function settled({ holder, recipient }: TestNetwork): Promise<void> {
  await holder.running.parts.counterparts.outbox.settled()
  await recipient.running.parts.foundation.database.execute([])
}

test('what is granted counts from the next call on, outlasts a restart, and ends when it is over', async () => {
  await using network = await start()
  const { holder, recipient, clock } = network
  for (const status of [200, 200, 429]) assert.equal(await call(network), status)
  const asked = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  assert.deepEqual([asked.status, asked.json.state], [201, 'asked'])
  const { json: requests } = await operate<QuotaRequestView[]>(holder, '/v1/quotas/requests?state=asked')
  assert.deepEqual(
    requests.map(({ id, participant, units, reason }) => [id, participant, units, reason]),
    [[asked.json.id, recipient.did, 4, 'a study']],
  )
  assert.equal((await told(holder, 'quota.requested')).length, 1)
  assert.equal(await call(network), 429)
  const until = new Date(clock.now() + 3_600_000).toISOString()
  const path = `/v1/quotas/requests/${asked.json.id}/grant`
  const tooFew = await operate<{ code: string; detail: string }>(holder, path, { units: 2 })
  assert.deepEqual([tooFew.status, tooFew.json.code], [422, 'quota-request-invalid'])
  assert.match(tooFew.json.detail, /has 2 units by the day already/)
  assert.equal((await operate(holder, path, { units: 3, until, note: 'for now' })).status, 200)
  for (const status of [200, 429]) assert.equal(await call(network), status)
  await settled(network)
  const { json: shown } = await operate<QuotaAskView>(recipient, `/v1/quotas/asks/${asked.json.id}`)
  assert.deepEqual([shown.state, shown.granted, shown.until, shown.note], ['granted', 3, until, 'for now'])
  assert.equal((await told(recipient, 'quota.decided')).length, 1)
  await holder.stop()
  await holder.start()
  const [rule] = holder.running.parts.limits.calls.parts.rules
  assert.ok(rule !== undefined)
  const { quotas } = holder.running.parts
  const raised = () => quotas.raised(rule.limit, `participant=${recipient.did}`)
  assert.deepEqual(raised(), { ...rule.limit, units: 3 })
  clock.offsetMs += 3_600_001
  assert.equal(raised(), undefined)
  const bodies = (await holder.running.parts.auditLog.readEvents({ limit: 1_000 })).map(({ body = '' }) => body)
  assert.equal(bodies.filter((body) => body.includes('"quota-decision"') && body.includes('"before"')).length, 1)
})

test('an operator begins a count anew: from the next call on, durably, and of the quota that was seen', async () => {
  await using network = await start()
  const { holder, recipient } = network
  const place = (limit: string, of: string) => `/v1/quotas/counts/${limit}/${encodeURIComponent(of)}`
  const path = place('daily', `participant=${recipient.did}`)
  const show = async () => (await adminOf(holder)).call({ path })
  assert.equal(await call(network), 200)
  const seen = await show()
  assert.deepEqual(seen.json, { ...(seen.json as object), limit: 'daily', units: 2, used: 1, per: 'day' })
  for (const status of [200, 429]) assert.equal(await call(network), status)
  const reset = async (headers = {}) => (await adminOf(holder)).call({ method: 'DELETE', path, headers })
  assert.equal((await reset({ 'if-match': '"other"' })).status, 412)
  // What is used changes with every call: it is no part of the version, or a busy quota could never be begun anew.
  assert.equal((await reset({ 'if-match': seen.headers['etag'] })).status, 204)
  assert.equal(await call(network), 200)
  await holder.stop()
  await holder.start()
  assert.equal(((await show()).json as QuotaCountView).used, 1)
  for (const status of [200, 429]) assert.equal(await call(network), status)
  const [entry = ''] = (await holder.running.parts.auditLog.readEvents({ limit: 1_000 })).flatMap(({ body = '' }) =>
    body.includes('"quota-reset"') ? [body] : [],
  )
  const { limit, of, used, before, after } = JSON.parse(entry) as Record<string, unknown>
  assert.deepEqual({ limit, of, used }, { limit: 'daily', of: `participant=${recipient.did}`, used: 2 })
  assert.notEqual(before, after)
  const named = await operate<QuotaCountView>(holder, place('by-product', 'participant=recipient product=items'))
  assert.deepEqual([named.json.of, named.json.used], [`participant=${recipient.did} product=items`, 4])
  const nobody = { method: 'DELETE', path: place('daily', 'participant=did:web:nobody.example') }
  assert.equal((await (await adminOf(holder)).call(nobody)).status, 404)
  const refused = [
    place('daily', 'participant=nobody'),
    place('by-product', 'participant=client:nobody product=items'),
    place('made-up', `participant=${recipient.did}`),
    place('daily', 'all'),
    place('daily', `client=${recipient.did}`),
    place('by-product', `product=items participant=${recipient.did}`),
    place('for-all', 'participant=x'),
  ]
  for (const other of refused) assert.equal((await operate(holder, other)).status, 404, other)
  const { json } = await operate<QuotaCountView>(holder, place('for-all', 'all'))
  assert.equal(json.used, 4)
})

test('a refusal is told with its note, once; a decision cannot be taken twice', async () => {
  await using network = await start()
  const { holder, recipient } = network
  const { json: ask } = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  const again = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  assert.equal(again.json.id, ask.id)
  const other = await operate(recipient, '/v1/quotas/asks', { ...wish, units: 9 })
  assert.deepEqual([other.status, (other.json as { code: string }).code], [409, 'quota-request-state'])
  assert.equal((await operate(holder, `/v1/quotas/requests/${ask.id}/refuse`, { note: 'not this year' })).status, 200)
  assert.equal((await operate(holder, `/v1/quotas/requests/${ask.id}/grant`, {})).status, 409)
  await settled(network)
  const { json: list } = await operate<QuotaAskView[]>(recipient, '/v1/quotas/asks?state=refused')
  assert.deepEqual(
    list.map(({ id, note }) => [id, note]),
    [[ask.id, 'not this year']],
  )
})

test('a grant is shortened and withdrawn: from the next call on, across a restart, told and recorded', async () => {
  await using network = await start()
  const { holder, recipient, clock } = network
  const { json: ask } = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  const decide = (what: string, body: object = {}) =>
    operate<QuotaRequestView & { code: string }>(holder, `/v1/quotas/requests/${ask.id}/${what}`, body)
  assert.deepEqual((await decide('withdraw')).json.code, 'quota-request-state')
  const inHours = (hours: number) => new Date(clock.now() + hours * 3_600_000).toISOString()
  assert.equal((await decide('grant', { until: inHours(3) })).status, 200)
  for (const status of [200, 200, 200]) assert.equal(await call(network), status)
  assert.equal((await decide('withdraw', { until: inHours(4) })).status, 422)
  const until = inHours(2)
  const shortened = await decide('withdraw', { until })
  assert.deepEqual([shortened.status, shortened.json.state, shortened.json.until], [200, 'granted', until])
  await settled(network)
  const shownToAsker = async () => (await operate<QuotaAskView>(recipient, `/v1/quotas/asks/${ask.id}`)).json
  assert.deepEqual([(await shownToAsker()).state, (await shownToAsker()).until], ['granted', until])
  const withdrawn = await decide('withdraw', { note: 'granted by mistake' })
  assert.deepEqual([withdrawn.status, withdrawn.json.state], [200, 'withdrawn'])
  assert.equal(await call(network), 429)
  const counted = `/v1/quotas/counts/daily/${encodeURIComponent(`participant=${recipient.did}`)}`
  const { json: count } = await operate<QuotaCountView>(holder, counted)
  assert.deepEqual([count.units, count.used], [2, 3])
  const { json: forecasts } = await operate<QuotaForecastView[]>(holder, '/v1/usage/forecast')
  const daily = forecasts.find(({ limit }) => limit === 'daily')
  assert.deepEqual([daily?.units, daily?.used], [2, 3])
  assert.equal((await decide('withdraw')).json.code, 'quota-request-state')
  await settled(network)
  assert.deepEqual([(await shownToAsker()).state, (await shownToAsker()).note], ['withdrawn', 'granted by mistake'])
  assert.equal((await told(recipient, 'quota.decided')).length, 3)
  // An event that was overtaken brings nothing back.
  const late = { request: ask.id, limit: 'daily', state: 'granted', units: 4, until: clock.now() + 9_000, time: 1 }
  assert.deepEqual(await recipient.running.parts.quotas.asks.handle({ issuer: holder.did, payload: late }), [])
  await holder.stop()
  await holder.start()
  assert.equal(await call(network), 429)
  const { json: list } = await operate<QuotaRequestView[]>(holder, '/v1/quotas/requests?state=withdrawn')
  assert.deepEqual(
    list.map(({ id }) => id),
    [ask.id],
  )
  const decisions = (await holder.running.parts.auditLog.readEvents({ limit: 1_000 })).flatMap(({ body = '' }) =>
    body.includes('"quota-decision"') ? [JSON.parse(body) as Record<string, unknown>] : [],
  )
  assert.deepEqual(
    decisions.map(({ state }) => state),
    ['granted', 'granted', 'withdrawn'],
  )
  for (const [at, { after }] of decisions.slice(0, -1).entries()) assert.equal(decisions[at + 1]?.['before'], after)
  const again = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  assert.deepEqual([again.status, again.json.state], [201, 'asked'])
})

test('a decision with times that are no dates is not taken, and the asks are shown as before', async () => {
  await using network = await start()
  const { holder, recipient, clock } = network
  const { json: ask } = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  const { outbox } = holder.running.parts.counterparts
  const decided = { request: ask.id, limit: 'daily', state: 'granted', units: 3, until: clock.now(), time: clock.now() }
  for (const lie of [{ until: 9e15 }, { time: 9e15 }]) {
    const event = { recipient: recipient.did, type: quotaDecided, payload: { ...decided, ...lie } }
    await holder.running.parts.foundation.database.execute([outbox.statement({ ...event, occurredMs: clock.now() })])
  }
  outbox.wake()
  await settled(network)
  const { status, json } = await operate<QuotaAskView[]>(recipient, '/v1/quotas/asks')
  assert.deepEqual([status, json], [200, [ask]])
})

test('a request for what is no quota of the asker’s is refused, the same for all that there may be', async () => {
  await using network = await start()
  for (const change of [{ limit: 'of-others' }, { limit: 'for-all' }, { limit: 'made-up' }, { per: 'month' }]) {
    const { status, json } = await operate<{ code: string; detail: string }>(network.recipient, '/v1/quotas/asks', {
      ...wish,
      ...change,
    })
    assert.deepEqual([status, json.code], [422, 'quota-request-invalid'], JSON.stringify(change))
    assert.match(json.detail, /no quota of yours by the/)
  }
  const less = await operate(network.recipient, '/v1/quotas/asks', { ...wish, units: 2 })
  assert.equal(less.status, 422)
  assert.deepEqual((await operate(network.holder, '/v1/quotas/requests')).json, [])
})

test('who is nobody cannot ask, and nobody reads another’s request', async () => {
  await using network = await start()
  const { holder, recipient } = network
  const { json: ask } = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
  const { requests } = holder.running.parts.quotas
  await assert.rejects(requests.show(ask.id, { participant: 'did:web:other.example', client: '' }), {
    code: 'quota-request-unknown',
  })
  const { client } = recipient.running.parts.counterparts
  const authority = new URL(holder.url).host
  const unsigned = await client.send(
    { did: holder.did, authority },
    { method: 'GET', target: `/limits/requests/${ask.id}`, headers: [], body: new Uint8Array(0), timeoutMs: 10_000 },
  )
  assert.equal(unsigned.status, 401)
})

test('strangers with DIDs of their own making, and products that are made up, leave nothing behind', async () => {
  await using network = await start()
  const { holder } = network
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const stranger = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
  const asked = { limit: 'by-product', product: 'items', units: 5_000, per: 'day', reason: 'please' }
  const ask = (as: typeof stranger | undefined, body: object) =>
    send(
      holder,
      signCall(network, { ...(as && { as }), method: 'POST', path: '/limits/requests', body: JSON.stringify(body) }),
    )
  for (const [as, body] of [
    [stranger, asked],
    [undefined, { ...asked, product: 'made-up' }],
  ] as const) {
    const { status, body: answer } = await ask(as, body)
    assert.deepEqual([status, /quota-request-invalid/.test(String(answer))], [422, true], String(answer))
  }
  assert.deepEqual((await operate<QuotaRequestView[]>(holder, '/v1/quotas/requests')).json, [])
  assert.equal((await told(holder, 'quota.requested')).length, 0)
  assert.ok((await ask(undefined, asked)).status < 300)
})

test('the operator’s systems are told once in a period that a quota is nearly used up, also across a restart', async () => {
  await using network = await start()
  const { holder } = network
  assert.equal(await call(network), 200)
  assert.equal((await told(holder, 'quota.near')).length, 0)
  for (const status of [200, 429]) assert.equal(await call(network), status)
  const waitFor = async (count: number) => {
    for (let tries = 0; tries < 3_000 && (await told(holder, 'quota.near')).length < count; tries++)
      await new Promise((resolve) => void setTimeout(resolve, 20))
    assert.equal((await told(holder, 'quota.near')).length, count)
  }
  await waitFor(1)
  await holder.stop()
  await holder.start()
  assert.equal(await call(network), 429)
  const { json: ask } = await operate<QuotaAskView>(network.recipient, '/v1/quotas/asks', wish)
  await operate(holder, `/v1/quotas/requests/${ask.id}/grant`, { units: 3 })
  assert.equal(await call(network), 200)
  // Of another size it is another quota.
  await waitFor(2)
})
