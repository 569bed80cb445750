/** What a holder learns of delegates: from the chain alone, once for each delegation, and whom it tells of what changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentAuthorization, parseConsentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { testRequest } from '@comity/core/consent/test-consent'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { maxDelegations } from '../src/consent/holder/consent-store.ts'
import {
  archive,
  codeOf,
  dayMs,
  federation,
  firm,
  grantedConsent,
  imposed,
  lab,
  openScene,
  startMs,
  toldToNodes,
  type Scene,
} from './consent-scene.ts'
import { onward, shared, tokenOf, verified } from './consent-wire-kit.ts'

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
