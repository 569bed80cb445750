/** What a person decides, what becomes a record, and that no foreign or late decision counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proofKeyId, verifyConsentProof } from '@comity/core/consent/consent-proof'
import { recordHash, verifyEventChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import type { ConsentProof } from '@comity/core/consent/consent-record'
import type { DecisionBy } from '../src/consent/consent-service.ts'
import {
  asked,
  athlete,
  bySubject,
  codeOf,
  dayMs,
  everything,
  federation,
  grantedConsent,
  lab,
  linkProof,
  openScene,
  startMs,
  stepTypes,
  type Scene,
  toldToNodes,
  toldToSystems,
} from './consent-scene.ts'

const twoGrants = testRequest({
  grants: [
    testGrant({ fields: { include: ['height', 'weight', 'sport'], exclude: ['results[].rank'] } }),
    testGrant({ grant: 'g2', domains: ['identity'] }),
    testGrant({ grant: 'no', effect: 'deny', fields: { include: ['weight'] } }),
  ],
})

test('a grant is a record: terms, notice as shown, parties, pairwise subject, end, proofs, status', async () => {
  await using scene = await openScene()
  const { consents, vault, world } = scene
  const id = await asked(scene)
  await consents.present(id, bySubject({ lang: 'hi' }))
  world.nowMs += 1_000
  const by = bySubject({ lang: 'hi', presentedMs: startMs + 500 })
  const draft = await consents.draft(id, everything, by)
  world.nowMs += 1_000
  const standing = await consents.grant(draft, linkProof(draft), by)
  const [record] = await consents.records(id)
  assert.ok(record !== undefined)
  const pairwise = vault.pairwise(athlete, lab.did)
  assert.deepEqual([record.id, record.rev, record.prev], [id, 1, undefined])
  assert.deepEqual(record.subject, { id: pairwise, type: 'person' })
  assert.deepEqual(record.grantor, { id: pairwise, capacity: 'self' })
  assert.deepEqual(
    record.parties.map(({ role, name, country }) => [role, name, country]),
    [
      ['holder', 'Sports Federation', 'CH'],
      ['recipient', 'Sports Lab', 'DE'],
    ],
  )
  assert.deepEqual([record.notice.lang, record.notice.version], ['hi', '3'])
  assert.equal(record.notice.text, 'हम खेल का अध्ययन करते हैं।')
  assert.equal(record.notice.presentedAt, '2026-03-01T10:00:00.500Z')
  assert.deepEqual(record.validity, { notBefore: '2026-03-01T10:00:01Z', expires: '2026-03-31T10:00:01Z' })
  const row = await scene.store.find(id)
  assert.deepEqual(record.revocation.status, row?.status)
  assert.deepEqual([standing.state, standing.rev, standing.hash], ['active', 1, draft.hash])
  assert.equal(recordHash(record), draft.hash)
  assert.deepEqual(
    record.proofs.map(({ type }) => type),
    ['link', 'jws'],
  )
  const own = record.proofs[1] as ConsentProof & { type: 'jws' }
  assert.equal(proofKeyId(own), federation.keyid)
  verifyConsentProof(own, draft.hash, { holderKey: importVerifyingKey(federation.key.publicJwk) })
  const events = await consents.events(id)
  verifyEventChain(events)
  assert.deepEqual(await stepTypes(scene, id), ['requested', 'presented', 'granted'])
  assert.deepEqual(await toldToNodes(scene), [{ recipient: lab.did, state: 'active', seq: 3 }])
  const change = (await toldToSystems(scene)).at(-1)
  assert.deepEqual(
    [change?.type, change?.data['change'], change?.data['reference']],
    ['consent.changed', 'granted', athlete],
  )
})

test('each step names its own entry in the log, which holds the step', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, testRequest())
  const steps = await scene.store.loadSteps(id)
  const entries = await scene.log.readEvents({ subject: scene.vault.handleOf(athlete) })
  assert.deepEqual(
    steps.map(({ event }) => event),
    entries.map((entry) => entry.id),
  )
  const told = entries.map(({ body }) => JSON.parse(body ?? '{}') as { step: unknown; hash: string })
  assert.deepEqual(
    told.map(({ step }) => step),
    await scene.consents.events(id),
  )
})

test('a part is granted: fewer grants, narrower fields, a shorter time; what is refused by itself stays refused', async () => {
  await using scene = await openScene()
  const choice = { grants: [{ id: 'g1', fields: ['height'] }], expires: '2026-03-02T00:00:00Z' }
  const id = await grantedConsent(scene, twoGrants, choice)
  const [record] = await scene.consents.records(id)
  assert.deepEqual(
    record?.grants.map(({ grant, fields }) => [grant, fields?.include]),
    [
      ['g1', ['height']],
      ['no', ['weight']],
    ],
  )
  assert.deepEqual(record?.grants[0]?.fields?.exclude, ['results[].rank'])
  assert.equal(record?.validity.expires, choice.expires)
})

test('refuses a choice that is not a part of what was asked', async () => {
  await using scene = await openScene()
  const id = await asked(scene, twoGrants)
  const code = (choice: Parameters<Scene['consents']['draft']>[1], by = bySubject()) =>
    codeOf(scene.consents.draft(id, choice, by))
  for (const choice of [
    { grants: [] },
    { grants: [{ id: 'no' }] },
    { grants: [{ id: 'g3' }] },
    { grants: [{ id: 'g1' }, { id: 'g1' }] },
    { grants: [{ id: 'g1', fields: [] }] },
    { grants: [{ id: 'g1', fields: ['name'] }] },
    { grants: [{ id: 'g1', fields: ['results[].rank'] }] },
    { grants: [{ id: 'g2', fields: ['shoes'] }] },
    { grants: [{ id: 'g1' }], expires: '2026-04-30T00:00:00Z' },
    { grants: [{ id: 'g1' }], expires: '2026-03-01T10:00:00Z' },
  ])
    assert.equal(await code(choice), 'consent-choice-invalid', JSON.stringify(choice))
  assert.equal(await code({ grants: [{ id: 'g1' }] }, bySubject({ lang: 'fr' })), 'consent-choice-invalid')
  assert.equal(await code({ grants: [{ id: 'g1' }] }, bySubject({ lang: '__proto__' })), 'consent-choice-invalid')
  for (const presentedMs of [startMs + dayMs, -1, Number.NaN])
    assert.equal(await code({ grants: [{ id: 'g1' }] }, bySubject({ presentedMs })), 'consent-choice-invalid')
})

test('a draft keeps nothing, and an old or changed one does not count', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const id = await asked(scene, twoGrants)
  const draft = await consents.draft(id, everything, bySubject())
  assert.deepEqual(await stepTypes(scene, id), ['requested'])
  const grants = [{ ...draft.record.grants[0]!, maxUses: 7 }, ...draft.record.grants.slice(1)]
  const widened = { ...draft.record, grants: twoGrants.grants ?? [] }
  const longer = { ...draft.record, validity: { ...draft.record.validity, expires: '2027-01-01T00:00:00Z' } }
  const others = { ...draft.record, parties: draft.record.parties.map((one) => ({ ...one, name: 'Somebody' })) }
  const words = { ...draft.record, notice: { ...draft.record.notice, text: 'Other words.' } }
  for (const record of [{ ...draft.record, grants }, longer, others, words]) {
    const forged = { record, hash: recordHash(record) }
    assert.match(
      await codeOf(consents.grant(forged, linkProof(forged), bySubject())),
      /^consent-(choice|record)-invalid$/,
    )
  }
  const asAll = { record: widened, hash: draft.hash }
  assert.equal(await codeOf(consents.grant(asAll, linkProof(asAll), bySubject())), 'consent-choice-invalid')
  const inHindi = bySubject({ lang: 'hi' })
  assert.equal(await codeOf(consents.grant(draft, linkProof(draft), inHindi)), 'consent-choice-invalid')
  world.nowMs += 3_600_001
  assert.equal(await codeOf(consents.grant(draft, linkProof(draft), bySubject())), 'consent-choice-invalid')
  assert.equal((await consents.find(id))?.state, 'requested')
})

test('refuses a proof by somebody else, in another role, or that does not verify', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await asked(scene)
  const draft = await consents.draft(id, everything, bySubject())
  const proof = linkProof(draft)
  const webauthn = { ...proof, type: 'webauthn', value: passkeyNonsense } as unknown as ConsentProof
  const holder = {
    by: federation.did,
    role: 'holder',
    type: 'jws',
    at: '2026-03-01T10:00:00Z',
    value: 'a.b.c',
  } as const
  for (const one of [{ ...proof, by: 'ps_other' }, linkProof(draft, 'grantor'), webauthn, holder])
    assert.equal(await codeOf(consents.grant(draft, one as ConsentProof, bySubject())), 'consent-proof-invalid')
  assert.equal((await consents.find(id))?.state, 'requested')
})

test('a no, a later, and a yes after a later', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await asked(scene)
  assert.equal((await consents.defer(id, bySubject())).state, 'deferred')
  const draft = await consents.draft(id, everything, bySubject())
  assert.equal((await consents.grant(draft, linkProof(draft), bySubject())).state, 'active')
  const other = await asked(scene, testRequest({ subject: { reference: '2', type: 'person' } }))
  assert.equal((await consents.refuse(other, bySubject())).state, 'refused')
  for (const decision of ['refuse', 'defer'] as const)
    assert.equal(await codeOf(consents[decision](other, bySubject())), 'consent-state')
  assert.equal(await codeOf(consents.draft(other, everything, bySubject())), 'consent-state')
})

test('nothing is decided after the request has lapsed, to the millisecond', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const id = await asked(scene)
  world.nowMs = startMs + 14 * dayMs - 1
  const draft = await consents.draft(id, everything, bySubject())
  world.nowMs += 1
  assert.equal((await consents.find(id))?.state, 'expired')
  assert.equal(await codeOf(consents.grant(draft, linkProof(draft), bySubject())), 'consent-state')
  assert.equal(await codeOf(consents.present(id, bySubject())), 'consent-state')
  assert.equal(await codeOf(consents.refuse(id, bySubject())), 'consent-state')
})

test('being seen is noted once in a row', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await asked(scene)
  await consents.present(id, bySubject())
  await consents.present(id, bySubject())
  await consents.defer(id, bySubject())
  await consents.present(id, bySubject())
  assert.deepEqual(await stepTypes(scene, id), ['requested', 'presented', 'deferred', 'presented'])
})

test('a guardian decides for a child, an officer for an organisation, and nobody else does', async () => {
  await using scene = await openScene()
  const child = testRequest({ subject: { reference: 'kid', type: 'child' }, grantor: { capacity: 'guardian' } })
  const company = testRequest({ subject: { reference: 'club', type: 'org' }, kind: 'business' })
  const as = (capacity: 'guardian' | 'officer' | 'attorney', role: DecisionBy['role'] = 'grantor') =>
    bySubject({ role, grantor: { id: 'parent-7', capacity } })
  const kid = await asked(scene, child)
  const club = await asked(scene, company)
  for (const [id, by] of [
    [kid, bySubject()],
    [kid, as('attorney')],
    [kid, as('guardian', 'subject')],
    [club, as('guardian')],
    [club, bySubject()],
  ] as const)
    assert.equal(await codeOf(scene.consents.draft(id, everything, by)), 'consent-choice-invalid')
  const draft = await scene.consents.draft(kid, everything, as('guardian'))
  await scene.consents.grant(draft, linkProof(draft, 'grantor'), as('guardian'))
  const [record] = await scene.consents.records(kid)
  assert.deepEqual(record?.grantor, { id: 'parent-7', capacity: 'guardian' })
  assert.deepEqual(record?.revocation.by, ['subject', 'grantor', 'holder', 'recipient'])
  assert.equal((await scene.consents.events(kid)).at(-1)?.by.id, 'parent-7')
  const forClub = await scene.consents.draft(club, everything, as('officer'))
  assert.equal((await scene.consents.grant(forClub, linkProof(forClub, 'grantor'), as('officer'))).state, 'active')
})

test('what is not there is unknown', async () => {
  await using scene = await openScene()
  const id = 'urn:uuid:019ca8d7-2d00-7000-8000-000000000000'
  assert.equal(await scene.consents.find(id), undefined)
  for (const work of [
    scene.consents.request(id),
    scene.consents.referenceOf(id),
    scene.consents.draft(id, everything, bySubject()),
    scene.consents.refuse(id, bySubject()),
  ])
    assert.equal(await codeOf(work), 'consent-unknown')
  assert.deepEqual(await scene.consents.records(id), [])
})

const passkeyNonsense = {
  credentialId: 'AAAA',
  publicKey: { kty: 'OKP', crv: 'Ed25519', x: federation.key.publicJwk.x },
  rpId: 'consent.federation.example',
  origin: 'https://consent.federation.example',
  authenticatorData: 'AAAA',
  clientDataJSON: 'AAAA',
  signature: 'AAAA',
}
