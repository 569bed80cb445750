/** What participants get of a holder over the wire: tokens, records, states, and nothing for who is no party. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConsentAuthorization, consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { consentRecordSchemaIri, type ConsentRecord } from '@comity/core/consent/consent-record'
import { verifyEventChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { parse } from 'yaml'
import { createRequestLimit } from '../src/assembly/limits.ts'
import type { Config } from '../src/config/config.ts'
import {
  createConsentRoutes,
  maxConsentBodyBytes,
  type ConsentRoutesParts,
} from '../src/consent/holder/consent-routes.ts'
import { maxDelegations } from '../src/consent/holder/consent-store.ts'
import {
  archive,
  athlete,
  bySubject,
  codeOf,
  dayMs,
  everything,
  federation,
  firm,
  grantedConsent,
  imposed,
  lab,
  linkProof,
  openScene,
  startMs,
  toldToNodes,
  type Json,
  type Scene,
  type TestParticipant,
} from './consent-scene.ts'

const onward = { allow: 'any', maxDepth: 2 } as const
const shared = testRequest({
  grants: [testGrant({ onward, title: { en: 'Sport' }, retention: { onWithdrawal: 'delete' } })],
})

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const admitAll = () => ({ admitted: true, retryAfterSeconds: 0, fields: [] })

/** Calls an address as a participant whose signature was verified. */
function repliesOf(scene: Scene, admitRequest: ConsentRoutesParts['admitRequest']) {
  const routes = createConsentRoutes({
    consents: scene.consents,
    tokenSources: [scene.issuer],
    resolveKey: async (keyid) => {
      const one = [lab, firm, archive, federation].find((known) => known.keyid === keyid)
      return importVerifyingKey((one ?? lab).key.publicJwk)
    },
    admitRequest,
  })
  return async ({ did, keyid }: TestParticipant, path: string, { method = 'GET', body, headers = {} }: Sent = {}) => {
    const bytes = body === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(body))
    const fields: Record<string, string> = { 'content-type': 'application/json', ...headers }
    const request = { method, path, header: (name: string) => fields[name] }
    const reply = await routes({ did, keyid }, { id: 'r1', request, body: bytes })
    return { ...reply, value: JSON.parse(Buffer.from(reply.body).toString()) as Json }
  }
}

function wireOf(scene: Scene) {
  const replies = repliesOf(scene, admitAll)
  return async (...call: Parameters<typeof replies>) => {
    const { status, value } = await replies(...call)
    return { status, value }
  }
}

const factsAt = (nowMs: number) => ({ holder: federation.did, nowMs, skewSeconds: 0 })
const holderKey = importVerifyingKey(federation.key.publicJwk)

async function tokenOf({ issuer }: Scene, id: string, { did, key }: TestParticipant = lab): Promise<string> {
  const issued = await issuer.tokenFor(id, { did, jwk: key.publicJwk })
  assert.ok(issued !== undefined)
  return issued.token
}

const verified = (token: string, nowMs: number) =>
  verifyConsentChain(parseConsentAuthorization(consentAuthorization(token)), holderKey, factsAt(nowMs))

test('a token is bound to the key that asked, has the terms in force and lives 300 seconds at most', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, shared)
  const [record] = await scene.consents.records(id)
  const { root } = verified(await tokenOf(scene, id), startMs)
  assert.deepEqual([root.iss, root.aud, root.client_id], [federation.did, federation.did, lab.did])
  assert.equal(root.sub, scene.vault.pairwise(athlete, lab.did))
  assert.equal(root.exp - root.iat, 300)
  assert.deepEqual(root.cnf.jwk, lab.key.publicJwk)
  assert.deepEqual(root.consent, { id, rev: 1, hash: (await scene.store.find(id))?.hash })
  assert.deepEqual(root.status?.status_list, record?.revocation.status)
  assert.deepEqual([root.del_depth, root.del_max_depth], [0, 2])
  const { title, ...scope } = shared.grants?.[0] ?? testGrant()
  assert.ok(title !== undefined)
  assert.deepEqual(root.authorization_details, [scope])
})

test('no token lives longer than the consent', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, shared, { ...everything, expires: '2026-03-01T10:02:00.900Z' })
  assert.equal(verified(await tokenOf(scene, id), startMs).root.exp, startMs / 1000 + 120)
  scene.world.nowMs += 120_500
  assert.equal(await codeOf(tokenOf(scene, id)), 'consent-inactive')
})

test('a token says how the person approved, as the proof does', async () => {
  await using scene = await openScene()
  const { id } = await scene.consents.requestConsent(shared, { did: lab.did })
  const draft = await scene.consents.draft(id, everything, bySubject())
  const value = { channel: 'portal', acr: 'urn:loa:high', amr: ['otp'], authTime: 1_772_359_000 }
  const { type, ...proof } = linkProof(draft)
  assert.equal(type, 'link')
  await scene.consents.grant(draft, { ...proof, type: 'session', value } as never, bySubject())
  const { root } = verified(await tokenOf(scene, id), startMs)
  assert.deepEqual([root.acr, root.amr, root.auth_time], ['urn:loa:high', ['otp'], 1_772_359_000])
})

test('there is no token before the grant, while paused and after the end, and none for anybody else', async () => {
  await using scene = await openScene()
  const { consents, issuer } = scene
  const wire = wireOf(scene)
  const { id } = await consents.requestConsent(shared, { did: lab.did })
  const code = (who = lab) => codeOf(wire(who, `/consents/${id}/token`))
  assert.equal(await code(), 'consent-inactive')
  const draft = await consents.draft(id, everything, bySubject())
  await consents.grant(draft, linkProof(draft), bySubject())
  assert.equal(await code(), 'nothing was thrown')
  assert.equal(await code(firm), 'consent-unknown')
  assert.equal(await issuer.tokenFor('urn:uuid:none', { did: lab.did, jwk: lab.key.publicJwk }), undefined)
  const change = { by: 'subject', actorId: 'ps_x', method: 'page' } as const
  await consents.pause(id, change)
  assert.equal(await code(), 'consent-inactive')
  await consents.resume(id, change)
  assert.equal(await code(), 'nothing was thrown')
  await consents.withdraw(id, change)
  assert.equal(await code(), 'consent-inactive')
})

test('after a narrower revision tokens have its terms', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, shared)
  const before = verified(await tokenOf(scene, id), startMs).root
  const draft = await scene.consents.draft(id, { grants: [{ id: 'g1', fields: ['height'] }] }, bySubject())
  await scene.consents.grant(draft, linkProof(draft), bySubject())
  const { root } = verified(await tokenOf(scene, id), startMs)
  assert.deepEqual(root.authorization_details[0]?.fields, { include: ['height'] })
  assert.equal(root.consent.rev, 2)
  assert.notEqual(root.consent.hash, before.consent.hash)
})

test('asks, looks, reads and gives up over the wire', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  const headers = { 'idempotency-key': '"k"' }
  const asked = await wire(lab, '/consents/requests', { method: 'POST', body: shared, headers })
  const { id } = asked.value
  assert.deepEqual(asked, { status: 202, value: { id, state: 'requested', lapses: '2026-03-15T10:00:00Z' } })
  assert.deepEqual(await wire(lab, '/consents/requests', { method: 'POST', body: shared, headers }), asked)
  assert.deepEqual((await wire(lab, `/consents/requests/${String(id)}`)).value, asked.value)
  assert.equal(await codeOf(wire(lab, `/consents/${String(id)}`)), 'consent-unknown')
  const draft = await scene.consents.draft(String(id), everything, bySubject())
  await scene.consents.grant(draft, linkProof(draft), bySubject())
  const { value } = await wire(lab, `/consents/${String(id)}`)
  assert.equal((value['record'] as ConsentRecord).schema, consentRecordSchemaIri)
  assert.equal(value['state'], 'active')
  verifyEventChain(value['events'] as never)
  const token = (await wire(lab, `/consents/${String(id)}/token`)).value
  assert.equal(token['expires'], startMs + 300_000)
  const revoked = { status: 200, value: { id, state: 'revoked' } }
  const giveUp = { method: 'POST', body: { reason: 'study ended' } } as const
  assert.deepEqual(await wire(lab, `/consents/${String(id)}/revoke`, giveUp), revoked)
  assert.deepEqual(await wire(lab, `/consents/${String(id)}/revoke`, { method: 'POST' }), revoked)
  const last = (await scene.consents.events(String(id))).at(-1)
  assert.deepEqual(last?.reason, { code: 'given-up', text: 'study ended' })
  assert.deepEqual(last?.by, { id: lab.did, role: 'recipient' })
})

test('the answer to a request comes no sooner for a person who is known', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  await scene.vault.open(scene.vault.handleOf(athlete))
  for (const reference of [athlete, 'never heard of']) {
    const body = { ...shared, subject: { reference, type: 'person' } }
    const startedAt = performance.now()
    await wire(lab, '/consents/requests', { method: 'POST', body })
    assert.ok(performance.now() - startedAt >= 95)
  }
})

test('to who is no party everything is unknown, the same as what is not there', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  const id = await grantedConsent(scene, shared)
  const other = 'urn:uuid:019ca8d7-2d00-7000-8000-0000000000ff'
  const paths = ['/consents/requests/ID', '/consents/ID', '/consents/ID/token', '/consents/ID/revoke']
  const told = async (path: string) => {
    const method = path.endsWith('revoke') ? 'POST' : 'GET'
    return wire(archive, path, { method }).then(
      () => 'an answer',
      (error: Error) => `${error.name} ${error.message}`,
    )
  }
  for (const path of paths) {
    const [mine, none] = await Promise.all([told(path.replace('ID', id)), told(path.replace('ID', other))])
    assert.equal(mine, none)
    assert.notEqual(mine, 'an answer')
    assert.equal(
      await codeOf(wire(archive, path.replace('ID', id), { method: path.endsWith('revoke') ? 'POST' : 'GET' })),
      'consent-unknown',
    )
  }
})

test('a party that the record names may read it, and get no token', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  const parties = [{ id: firm.did, role: 'processor', name: 'Statistics' }] as const
  const id = await grantedConsent(scene, testRequest({ parties }))
  assert.equal((await wire(firm, `/consents/${id}`)).status, 200)
  assert.equal(await codeOf(wire(firm, `/consents/${id}/token`)), 'consent-unknown')
  assert.equal(await codeOf(wire(firm, `/consents/${id}/revoke`, { method: 'POST' })), 'consent-unknown')
})

test('a request that waits or was refused cannot be taken back, and does not show which', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  const { id } = await scene.consents.requestConsent(shared, { did: lab.did })
  const told = () => wire(lab, `/consents/${id}/revoke`, { method: 'POST' }).catch((error: Error) => error.message)
  const before = await told()
  await scene.consents.refuse(id, bySubject())
  assert.equal(await told(), before)
})

test('what ran out is written down before it is shown, so that state and steps agree', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, shared)
  scene.world.nowMs += 31 * dayMs
  const { value } = await wireOf(scene)(lab, `/consents/${id}`)
  assert.equal(value['state'], 'expired')
  assert.equal((value['events'] as { type: string }[]).at(-1)?.type, 'expired')
})

test('refuses wrong methods, addresses, types, sizes and texts', async () => {
  await using scene = await openScene()
  const wire = wireOf(scene)
  const id = await grantedConsent(scene, shared)
  const post = (body: unknown, headers = {}) =>
    codeOf(wire(lab, '/consents/requests', { method: 'POST', body, headers }))
  assert.equal(await codeOf(wire(lab, '/consents/requests')), 'method-not-allowed')
  assert.equal(await codeOf(wire(lab, `/consents/${id}/token`, { method: 'PUT' })), 'method-not-allowed')
  assert.equal(await codeOf(wire(lab, `/consents/${id}/more`)), 'not-found')
  assert.equal(await codeOf(wire(lab, '/consents/1')), 'not-found')
  assert.equal(await post(shared, { 'content-type': 'text/plain' }), 'unsupported-media-type')
  assert.equal(await post('x'.repeat(maxConsentBodyBytes)), 'body-too-large')
  assert.equal(await post([]), 'consent-request-invalid')
  assert.equal(await post(shared, { 'idempotency-key': 'k' }), 'idempotency-key-invalid')
  for (const body of [
    { reason: '' },
    { reason: 1 },
    { other: 'x' },
    [],
    { reason: 'x'.repeat(1001) },
    { reason: 'a\u0007' },
  ])
    assert.equal(await codeOf(wire(lab, `/consents/${id}/revoke`, { method: 'POST', body })), 'malformed-request')
})

/** The lab passes height on to the firm. */
async function delegation(scene: Scene, id: string, change: object = {}) {
  const parent = await tokenOf(scene, id)
  const nowSeconds = Math.floor(scene.world.nowMs / 1000)
  const scopes = [{ ...verified(parent, scene.world.nowMs).root.authorization_details[0]!, onward }]
  const terms = { delegation: 'd1', scopes, createdAt: nowSeconds, expiresAt: nowSeconds + 300, jti: 'j1' }
  const delegate = { did: firm.did, jwk: firm.key.publicJwk }
  return mintDelegation({ parent, delegate, ...terms, ...change }, lab)
}

const telling = (id: string, token: string, change: object = {}) => ({
  issuer: lab.did,
  payload: { consent: id, holder: federation.did, delegation: 'd1', delegate: firm.did, token, ...change },
})

test('learns of delegates from the chain, and tells them what changes', async () => {
  await using scene = await openScene()
  const { delegates, database, store, consents } = scene
  const id = await grantedConsent(scene, shared)
  const chain = await delegation(scene, id)
  scene.world.nowMs += dayMs
  for (let told = 0; told < 2; told++) {
    const statements = await delegates.consentDelegated(telling(id, chain))
    assert.equal(statements.length, told === 0 ? 1 : 0)
    await database.execute(statements)
  }
  const entry = { consent: id, delegation: 'd1', delegator: lab.did, delegate: firm.did, depth: 1 }
  assert.deepEqual(await store.loadDelegates(id), [{ ...entry, firstSeenMs: startMs + dayMs, endedMs: undefined }])
  await consents.pause(id, { by: 'subject', actorId: 'ps_x', method: 'page' })
  const told = (await toldToNodes(scene)).slice(-2).map(({ recipient, state }) => [recipient, state])
  assert.deepEqual(told, [
    [firm.did, 'paused'],
    [lab.did, 'paused'],
  ])
  const payload = { consent: id, holder: federation.did, delegation: 'd1', delegate: firm.did }
  await database.execute(await delegates.delegationEnded({ issuer: firm.did, payload }))
  assert.equal((await store.loadDelegates(id))[0]?.endedMs, undefined)
  await database.execute(await delegates.delegationEnded({ issuer: lab.did, payload }))
  assert.equal((await store.loadDelegates(id))[0]?.endedMs, scene.world.nowMs)
})

test('a delegate that becomes known after the end hears of it and owes its part at once', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, shared)
  const chain = await delegation(scene, id)
  await scene.consents.withdraw(id, { by: 'subject', actorId: 'ps_x', method: 'page' })
  await scene.database.execute(await scene.delegates.consentDelegated(telling(id, chain)))
  assert.ok((await toldToNodes(scene)).some(({ recipient, state }) => recipient === firm.did && state === 'withdrawn'))
  assert.deepEqual(
    (await imposed(scene)).map(({ debtor }) => debtor),
    [lab.did, firm.did],
  )
})

test('a consent that was passed on too often is passed on no more, and whom it was passed on to before is still known', async () => {
  await using scene = await openScene()
  const { delegates, database, store } = scene
  const id = await grantedConsent(scene, shared)
  const known = { consent: id, delegator: lab.did, delegate: firm.did, depth: 1, endedMs: startMs }
  const rows = Array.from({ length: maxDelegations }, (_, index) => ({ ...known, delegation: `k${index}` }))
  await database.execute(rows.map((row) => store.insertDelegate({ ...row, firstSeenMs: startMs })))
  const one = telling(id, await delegation(scene, id))
  assert.equal(await codeOf(delegates.consentDelegated(one)), 'event-invalid')
  const before = telling(id, await delegation(scene, id, { delegation: 'k7' }), { delegation: 'k7' })
  assert.deepEqual(await delegates.consentDelegated(before), [])
})

test('does not take the id of a delegation for another delegate, so that nobody hides behind it', async () => {
  await using scene = await openScene()
  const { delegates, database, store } = scene
  const id = await grantedConsent(scene, shared)
  const toFirm = telling(id, await delegation(scene, id))
  const delegate = { did: archive.did, jwk: archive.key.publicJwk }
  const toArchive = telling(id, await delegation(scene, id, { delegate }), { delegate: archive.did })
  // Both at once: each was judged before the other was written.
  const [first, second] = [await delegates.consentDelegated(toFirm), await delegates.consentDelegated(toArchive)]
  await database.execute(first)
  await assert.rejects(database.execute(second))
  assert.equal(await codeOf(delegates.consentDelegated(toArchive)), 'event-invalid')
  assert.deepEqual(
    (await store.loadDelegates(id)).map((one) => one.delegate),
    [firm.did],
  )
})

test('counts no delegation that the chain does not show, from whom it does not name', async () => {
  await using scene = await openScene()
  const { delegates } = scene
  const id = await grantedConsent(scene, shared)
  const elsewhere = await grantedConsent(scene, testRequest({ ...shared, subject: { reference: '2', type: 'person' } }))
  const chain = await delegation(scene, id)
  const code = (event: ReturnType<typeof telling>) => codeOf(delegates.consentDelegated(event))
  assert.equal(await code({ ...telling(id, chain), issuer: firm.did }), 'event-invalid')
  for (const change of [
    { delegate: archive.did },
    { delegation: 'd2' },
    { consent: elsewhere },
    { token: await tokenOf(scene, id) },
    { token: chain.slice(0, -4) },
    { token: 'x' },
  ])
    assert.equal(await code(telling(id, chain, change)), 'event-invalid', JSON.stringify(Object.keys(change)))
  const stranger = { ...federation, key: importSigningKey(generatePrivateJwk('ed25519')) }
  const forgedIssuer = await openScene({ assertionKey: () => stranger })
  const forgedId = await grantedConsent(forgedIssuer, shared)
  assert.equal(await code(telling(forgedId, await delegationBy(forgedIssuer, forgedId))), 'event-invalid')
  await forgedIssuer[Symbol.asyncDispose]()
  assert.deepEqual(await delegates.consentDelegated(telling(id, chain, { holder: archive.did })), [])
})

/** A chain of a holder whose key is not the one that its document names. */
async function delegationBy(scene: Scene, id: string): Promise<string> {
  const parent = await tokenOf(scene, id)
  const [details] = parseConsentAuthorization(consentAuthorization(parent)).links
  const nowSeconds = Math.floor(scene.world.nowMs / 1000)
  const terms = { delegation: 'd1', createdAt: nowSeconds, expiresAt: nowSeconds + 300, jti: 'j1' }
  const scopes = details?.claims.authorization_details ?? []
  return mintDelegation({ parent, delegate: { did: firm.did, jwk: firm.key.publicJwk }, scopes, ...terms }, lab)
}

test('who asks more often than its limit is told when to come back, and nothing is written', async () => {
  await using scene = await openScene()
  const config = parse('limits: { consentRequests: { requests: 3, perSeconds: 3600 } }') as Config
  const admit = createRequestLimit(config, ({ length }) => length > 0)
  const wire = repliesOf(scene, (did) => admit(did, scene.world.nowMs))
  const ask = (reference: string, by = lab) => {
    const body = testRequest({ subject: { reference, type: 'person' } })
    return wire(by, '/consents/requests', { method: 'POST', body })
  }
  for (const reference of ['1', '2', '3']) assert.equal((await ask(reference)).status, 202)
  const before = await scene.database.all('SELECT * FROM subject_keys')
  const refused = await ask('4')
  assert.deepEqual([refused.status, refused.value['code']], [429, 'rate-limited'])
  const fields = new Map(
    refused.headers.flatMap((name, at, all) => (at % 2 === 0 ? [[name, all[at + 1]] as const] : [])),
  )
  assert.equal(fields.get('retry-after'), '1200')
  assert.equal(fields.get('ratelimit-policy'), '"consent-requests";q=3;w=3600')
  assert.equal((await scene.store.list({})).length, 3)
  assert.deepEqual(await scene.database.all('SELECT * FROM subject_keys'), before)
  assert.equal((await ask('4', firm)).status, 202)
  scene.world.nowMs += 1_200_000
  assert.equal((await ask('4')).status, 202)
})

test('refuses a notice that is longer than any request needs', async () => {
  await using scene = await openScene()
  const text = { en: 'a'.repeat(9_000), de: 'b'.repeat(9_000), fr: 'c'.repeat(9_000), hi: 'd'.repeat(9_000) }
  const asking = scene.consents.requestConsent(testRequest({ notice: { version: '1', text } }), { did: lab.did })
  assert.equal(await codeOf(asking), 'consent-request-invalid')
  assert.deepEqual(await scene.store.list({}), [])
})
