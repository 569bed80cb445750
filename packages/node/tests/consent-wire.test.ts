/** What participants get of a holder over the wire: tokens, records, states, and nothing for who is no party. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentRecordSchemaIri, type ConsentRecord } from '@comity/core/consent/consent-record'
import { verifyEventChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { parse } from 'yaml'
import { createRequestLimit } from '../src/assembly/limits.ts'
import type { Config } from '../src/config/config.ts'
import { maxConsentBodyBytes } from '../src/consent/holder/consent-routes.ts'
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
  lab,
  linkProof,
  openScene,
  startMs,
} from './consent-scene.ts'
import { repliesOf, shared, tokenOf, verified, wireOf } from './consent-wire-kit.ts'

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
