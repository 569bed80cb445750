/** What the holder checks of a call about a person, on real consents. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGrant, testPurposes, testRequest } from '@comity/core/consent/test-consent'
import { signConsentToken } from '@comity/core/consent-token/consent-token'
import { consentAuthorization, parseConsentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { Problem } from '@comity/core/problems'
import { createConsentCheck } from '../src/consent/check/check-consent.ts'
import type { ConsentQuestion } from '../src/consent/consent-service.ts'
import { maxDelegations } from '../src/consent/holder/consent-store.ts'
import {
  archive,
  athlete,
  bySubject,
  dayMs,
  federation,
  firm,
  grantedConsent,
  lab,
  linkProof,
  type TestParticipant,
} from './consent-scene.ts'
import { consentTo, delegate, openCheckScene, outcome, question, tokenOf, type CheckScene } from './personal-scene.ts'

const body = { domains: ['sport.body'] }

/** With another signature at its end. */
const otherEnd = (chain: string) => chain.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'BBBA' : 'AAAA'))

test('a consented call gets the fields of its domains, and the rest is named', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, body)
  const verdict = await scene.check.decide(question(scene, await tokenOf(scene, id)))
  assert.ok(verdict.allowed)
  assert.deepEqual(verdict.release.released, ['height', 'weight'])
  assert.deepEqual(verdict.release.withheld, ['name', 'born', 'sport', 'results[].event', 'results[].rank'])
  assert.equal(verdict.consent.id, id)
  assert.deepEqual([verdict.reference, verdict.via], [athlete, []])
  assert.equal(verdict.pairwise, scene.vault.pairwise(athlete, lab.did))
  assert.equal(verdict.keyedHash('x'), scene.vault.keyedHash('x', lab.did))
  assert.equal(await scene.vault.unseal(verdict.key.seal('told')), 'told')
})

test('the person may be named by the pairwise id, and the upstream gets the holder`s own reference', async () => {
  await using scene = await openCheckScene()
  const authorization = await tokenOf(scene, await consentTo(scene, body))
  const pairwise = scene.vault.pairwise(athlete, lab.did)
  for (const subjectField of [undefined, pairwise]) {
    const verdict = await scene.check.decide(question(scene, authorization, { subject: pairwise, subjectField }))
    assert.ok(verdict.allowed)
    assert.equal(verdict.reference, athlete)
  }
})

test('releases what was asked for and granted, filtered and for its period', async () => {
  await using scene = await openCheckScene()
  const filters = [{ path: 'sport', op: '=', value: 'rowing' }] as const
  const id = await consentTo(scene, { ...body, filters })
  const authorization = await tokenOf(scene, id)
  const verdict = await scene.check.decide(question(scene, authorization, { requested: ['height', 'name'] }))
  assert.ok(verdict.allowed)
  assert.deepEqual([verdict.release.released, verdict.release.withheld], [['height'], ['name']])
  assert.deepEqual(verdict.release.parts[0]?.filters, filters)
  assert.equal(await outcome(scene.check, question(scene, authorization, { requested: ['name'] })), 'consent-scope')
})

test('another purpose, product, action or place is refused with its own code', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, { ...body, geo: { allow: ['CH'] } })
  const authorization = await tokenOf(scene, id)
  const ask = (changes: Parameters<typeof question>[2]) => outcome(scene.check, question(scene, authorization, changes))
  assert.equal(await ask({ country: 'CH' }), 'height weight')
  assert.equal(await ask({ country: 'CH', purpose: testPurposes.academic }), 'height weight')
  assert.equal(await ask({ country: 'CH', purpose: testPurposes.marketing }), 'consent-purpose')
  assert.equal(await ask({ country: 'CH', purpose: undefined }), 'consent-purpose')
  assert.equal(await ask({ country: 'CH', action: 'write' }), 'consent-scope')
  assert.equal(await ask({ country: 'CH', product: 'coaches' }), 'consent-scope')
  assert.equal(await ask({ country: 'US' }), 'consent-place')
  assert.equal(await ask({}), 'consent-place')
})

test('every refusal that would tell of a person is one and the same, and costs the same reads', async () => {
  const work: string[] = []
  await using scene = await openCheckScene()
  const id = await consentTo(scene, body)
  const other = await grantedConsent(scene, testRequest({ subject: { reference: 'another', type: 'person' } }))
  const authorization = await tokenOf(scene, id)
  const { claims } = parseConsentAuthorization(authorization).root
  const unknownId = { ...claims, consent: { ...claims.consent, id: 'urn:uuid:0190a7b0-0000-7000-8000-000000000000' } }
  const check = createConsentCheck({
    ...scene.parts,
    standing: (consent) => {
      work.push('row')
      return scene.parts.standing(consent)
    },
    vault: new Proxy(scene.vault, {
      get(vault, name: 'pairwise' | 'handleOf') {
        if (name === 'pairwise' || name === 'handleOf') work.push(name)
        return (...given: [string, string]) => (vault[name] as (...texts: string[]) => string).apply(vault, given)
      },
    }),
  })
  const cases: Record<string, ConsentQuestion> = {
    'no token': question(scene, undefined),
    'no token, nobody of that name': question(scene, undefined, { subject: 'nobody' }),
    'another scheme': question(scene, 'Bearer abc'),
    'another person`s token': question(scene, await tokenOf(scene, other)),
    'a token about whom the holder does not know': question(scene, authorization, { subject: 'nobody' }),
    'another`s pairwise id': question(scene, authorization, { subject: scene.vault.pairwise(athlete, firm.did) }),
    'nobody named': question(scene, authorization, { subject: undefined }),
    'another named in the field': question(scene, authorization, { subjectField: 'another' }),
    'no such consent': question(scene, consentAuthorization(signConsentToken(unknownId, federation))),
    'another caller`s token': question(scene, authorization, { by: firm }),
    'another key of the caller': question(scene, authorization, {
      caller: { did: lab.did, keyThumbprint: 'other', country: undefined },
    }),
  }
  for (const [name, asked] of Object.entries(cases)) {
    work.length = 0
    const verdict = await check.decide(asked)
    assert.deepEqual(
      verdict,
      { allowed: false, code: 'consent-required', detail: 'no consent was presented that covers this call' },
      name,
    )
    assert.deepEqual(work, ['row', 'pairwise', 'handleOf'], name)
  }
})

test('a token that is forged, of another holder or too old says so', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, body)
  const authorization = await tokenOf(scene, id)
  const { claims } = parseConsentAuthorization(authorization).root
  const forged = (signer: TestParticipant, changes = {}) =>
    consentAuthorization(signConsentToken({ ...claims, ...changes }, signer))
  for (const [name, wrong] of Object.entries({
    'a key of another': forged(lab),
    'a key of another under the holder`s name': forged({ ...lab, keyid: federation.keyid }),
    'another holder': forged(federation, { aud: lab.did }),
    'an empty link': `${authorization}~`,
    'another spelling': authorization.replace('Comity ', 'comity '),
    'another signature': otherEnd(authorization),
  })) {
    assert.equal(await outcome(scene.check, question(scene, wrong)), 'consent-token-invalid', name)
  }
  scene.world.nowMs += 300_000 + 29_000
  assert.equal(await outcome(scene.check, question(scene, authorization)), 'height weight')
  scene.world.nowMs += 2_000
  assert.equal(await outcome(scene.check, question(scene, authorization)), 'consent-token-expired')
})

test('a consent that ended one second ago refuses, its token being good still', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, body)
  scene.world.nowMs += 30 * dayMs - 10_000
  const authorization = await tokenOf(scene, id)
  assert.equal(await outcome(scene.check, question(scene, authorization)), 'height weight')
  scene.world.nowMs += 11_000
  const verdict = await scene.check.decide(question(scene, authorization))
  assert.deepEqual(
    [verdict.allowed, verdict.allowed || verdict.code, verdict.allowed || verdict.members],
    [false, 'consent-inactive', { state: 'expired' }],
  )
})

test('a pause, an end or a new revision bites at the very next call, whatever token is shown', async () => {
  await using scene = await openCheckScene()
  const { consents } = scene
  const by = { by: 'subject', actorId: 'x', method: 'page' } as const
  const id = await consentTo(scene, body)
  const authorization = await tokenOf(scene, id)
  const ask = () => outcome(scene.check, question(scene, authorization))
  assert.equal(await ask(), 'height weight')
  await consents.pause(id, by)
  assert.equal(await ask(), 'consent-inactive')
  await consents.resume(id, by)
  assert.equal(await ask(), 'height weight')
  const narrower = await consents.draft(id, { grants: [{ id: 'g1', fields: ['height'] }] }, bySubject())
  await consents.grant(narrower, linkProof(narrower), bySubject())
  assert.equal(await ask(), 'consent-superseded')
  assert.equal(await outcome(scene.check, question(scene, await tokenOf(scene, id))), 'height')
  const fresh = await tokenOf(scene, id)
  await consents.withdraw(id, by)
  assert.equal(await outcome(scene.check, question(scene, fresh)), 'consent-inactive')
})

test('of a thousand calls at once on ten uses exactly ten are let through, also after a restart', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, { ...body, maxUses: 10 })
  const asked = question(scene, await tokenOf(scene, id))
  const verdicts = await Promise.all(Array.from({ length: 1_000 }, () => scene.check.decide(asked)))
  assert.equal(verdicts.filter(({ allowed }) => allowed).length, 10)
  assert.ok(verdicts.every((verdict) => verdict.allowed || verdict.code === 'consent-quota'))
  for (const verdict of verdicts) await scene.release(verdict)
  for (const check of [scene.check, createConsentCheck(scene.parts)]) {
    const verdict = await check.decide(asked)
    assert.deepEqual(verdict, {
      allowed: false,
      code: 'consent-quota',
      detail: 'all uses of the consent are spent',
      members: {},
    })
  }
  assert.equal((await scene.uses.list(id, { limit: 100 })).length, 10)
})

test('a use is given back when no answer left', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, { ...body, fetch: { type: 'once' } })
  const asked = question(scene, await tokenOf(scene, id))
  const first = await scene.check.decide(asked)
  assert.ok(first.allowed)
  assert.equal(await outcome(scene.check, asked), 'consent-quota')
  first.settle(false)
  const second = await scene.check.decide(asked)
  await scene.release(second)
  assert.equal(await outcome(scene.check, asked), 'consent-quota')
})

test('a frequency says when the next call may come', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, { ...body, fetch: { type: 'periodic', max: 2, per: 'PT1H' } })
  const ask = async () => scene.check.decide(question(scene, await tokenOf(scene, id)))
  await scene.release(await ask())
  scene.world.nowMs += 600_000
  await scene.release(await ask())
  const refused = await ask()
  assert.deepEqual(refused.allowed || [refused.code, refused.members], ['consent-quota', { retryAfterSeconds: 3_000 }])
  scene.world.nowMs += 3_000_000
  await scene.release(await ask())
  assert.ok(!(await ask()).allowed)
})

const onward = { ...body, onward: { allow: 'any', maxDepth: 2 } } as const

/** A consent that may be passed on, and the firm's chain under it. */
async function delegated(scene: CheckScene, grant: Parameters<typeof testGrant>[0] = {}) {
  const id = await consentTo(scene, { ...onward, ...grant })
  const scopes = [testGrant({ ...onward, ...grant, fields: { include: ['height'] } })]
  const root = await tokenOf(scene, id)
  return { id, root, scopes, chain: delegate(scene, root, { scopes }) }
}

test('a delegate reads its part, for the one who passed it on, and becomes known', async () => {
  await using scene = await openCheckScene()
  const { id, chain } = await delegated(scene)
  const asked = question(scene, chain, { by: firm })
  const verdict = await scene.check.decide(asked)
  assert.ok(verdict.allowed)
  assert.deepEqual(verdict.release.released, ['height'])
  assert.deepEqual(verdict.via, [lab.did, firm.did])
  assert.equal(verdict.pairwise, scene.vault.pairwise(athlete, lab.did))
  assert.equal(await scene.check.clientOf(chain, asked.caller, asked.nowMs), lab.did)
  assert.deepEqual(await scene.store.loadDelegates(id), [])
  await scene.release(verdict)
  const [known] = await scene.store.loadDelegates(id)
  assert.deepEqual([known?.delegation, known?.delegator, known?.delegate, known?.depth], ['d1', lab.did, firm.did, 1])
  await scene.release(await scene.check.decide(asked))
  const uses = await scene.uses.list(id, { limit: 10 })
  assert.deepEqual(
    uses.map(({ caller, via, links }) => [caller, via, links]),
    Array.from({ length: 2 }, () => [firm.did, [lab.did, firm.did], [`${lab.did} d1`]]),
  )
})

test('the id of a delegation stands for one delegate: another that calls with it is refused', async () => {
  await using scene = await openCheckScene()
  const { id, root, scopes, chain } = await delegated(scene)
  const hidden = delegate(scene, root, { to: archive, scopes })
  const reused = { allowed: false, code: 'consent-token-invalid' }
  const judged = async (authorization: string, by = archive) => {
    const verdict = await scene.check.decide(question(scene, authorization, { by }))
    return verdict.allowed ? verdict : { allowed: false, code: verdict.code }
  }
  const before = await judged(hidden)
  assert.ok('use' in before)
  await scene.release(await scene.check.decide(question(scene, chain, { by: firm })))
  // Judged before the other was known: the answer does not leave, and why is said.
  await assert.rejects(scene.release(before))
  const refused = await before.confirm(scene.world.nowMs)
  assert.equal(refused?.code, 'consent-token-invalid')
  assert.doesNotMatch(refused.detail, /did:/)
  assert.deepEqual(await judged(hidden), reused)
  // Further down the chain as well, be it known to the holder or not.
  const below = delegate(scene, hidden, { from: archive, to: lab, delegation: 'd2', scopes })
  assert.deepEqual(await judged(below, lab), reused)
  const second = delegate(scene, chain, { from: firm, to: archive, delegation: 'd2', scopes })
  assert.ok((await judged(second)).allowed)
  const [known] = await scene.store.loadDelegates(id)
  assert.ok(known)
  await scene.database.execute([scene.store.insertDelegate({ ...known, delegator: firm.did, delegation: 'd3' })])
  const third = delegate(scene, chain, { from: firm, to: archive, delegation: 'd3', scopes })
  assert.deepEqual(await judged(third), reused)
  assert.equal((await scene.store.loadDelegates(id)).length, 2)
})

test('the id of a delegation stands for one delegate also within one chain', async () => {
  await using scene = await openCheckScene()
  const { scopes, chain } = await delegated(scene, { onward: { allow: 'any', maxDepth: 3 } })
  const back = delegate(scene, chain, { from: firm, to: lab, scopes })
  const again = delegate(scene, back, { from: lab, to: archive, scopes })
  assert.equal(await outcome(scene.check, question(scene, again, { by: archive })), 'consent-token-invalid')
})

test('a chain shown by another than its last bearer says nothing, not even whose it is', async () => {
  await using scene = await openCheckScene()
  const { chain } = await delegated(scene)
  for (const by of [lab, archive]) {
    const asked = question(scene, chain, { by })
    assert.equal(await outcome(scene.check, asked), 'consent-required')
    await assert.rejects(scene.check.clientOf(chain, asked.caller, asked.nowMs), { code: 'consent-required' })
  }
  const forged = otherEnd(chain)
  const asked = question(scene, forged, { by: firm })
  await assert.rejects(scene.check.clientOf(forged, asked.caller, asked.nowMs), { code: 'consent-token-invalid' })
})

test('a delegation that was ended, revoked or paused by its giver refuses, and so does one of unknown status', async () => {
  const said = { status: 'valid' as string | Problem }
  await using scene = await openCheckScene({
    statuses: {
      check: async ({ uri, idx }, issuer) => {
        assert.deepEqual([uri, idx, issuer], ['https://lab.example/status/1', 7, lab.did])
        if (said.status instanceof Problem) throw said.status
        return said.status
      },
    },
  })
  const { root, scopes, id } = await delegated(scene)
  const chain = delegate(scene, root, { scopes, status: { uri: 'https://lab.example/status/1', idx: 7 } })
  const asked = question(scene, chain, { by: firm })
  assert.equal(await outcome(scene.check, asked), 'height')
  for (const status of ['invalid', 'suspended']) {
    said.status = status
    assert.equal(await outcome(scene.check, asked), 'consent-inactive')
  }
  said.status = new Problem('status-unavailable', 'cannot be had')
  await assert.rejects(scene.check.decide(asked), { code: 'status-unavailable' })
  said.status = 'valid'
  await scene.release(await scene.check.decide(asked))
  await scene.database.execute([
    scene.store.endDelegate({ consent: id, delegation: 'd1', delegator: lab.did }, scene.world.nowMs),
  ])
  assert.equal(await outcome(scene.check, asked), 'consent-inactive')
})

test('a call by one delegation more than the holder keeps of a consent is refused, those it knows go on', async () => {
  await using scene = await openCheckScene()
  const { root, scopes, chain, id } = await delegated(scene)
  await scene.release(await scene.check.decide(question(scene, chain, { by: firm })))
  const known = { consent: id, delegator: lab.did, delegate: archive.did, depth: 1, endedMs: undefined }
  const firstSeenMs = scene.world.nowMs
  const others = Array.from({ length: maxDelegations - 1 }, (_, index) => ({
    ...known,
    firstSeenMs,
    delegation: `k${index}`,
  }))
  await scene.database.execute(others.map((other) => scene.store.insertDelegate(other)))
  const fresh = delegate(scene, root, { scopes, delegation: 'one-more' })
  assert.equal(await outcome(scene.check, question(scene, fresh, { by: firm })), 'consent-quota')
  assert.equal(await outcome(scene.check, question(scene, chain, { by: firm })), 'height')
})

test('uses are summed over all delegates, and a delegate`s own quota over all to whom it passed on', async () => {
  await using scene = await openCheckScene()
  const { root } = await delegated(scene, { maxUses: 5 })
  const scopes = (maxUses: number) => [testGrant({ ...onward, fields: { include: ['height'] }, maxUses })]
  const firms = delegate(scene, root, { scopes: scopes(3) })
  const archives = delegate(scene, firms, { from: firm, to: archive, scopes: scopes(2), delegation: 'd2' })
  const second = delegate(scene, root, { scopes: scopes(4), delegation: 'd3' })
  const take = async (chain: string, by: TestParticipant) => {
    const verdict = await scene.check.decide(question(scene, chain, { by }))
    await scene.release(verdict)
    return verdict.allowed
  }
  assert.deepEqual([await take(archives, archive), await take(archives, archive)], [true, true])
  assert.equal(await take(archives, archive), false, 'its own two are spent')
  assert.deepEqual([await take(firms, firm), await take(firms, firm)], [true, false], 'three with those passed on')
  assert.deepEqual([await take(second, firm), await take(root, lab), await take(root, lab)], [true, true, false])
  assert.equal(await take(second, firm), false)
})

test('a frequency holds for the recipient and all delegates together, under whatever delegation they call', async () => {
  await using scene = await openCheckScene()
  const fetch = { type: 'periodic', max: 2, per: 'PT1H' } as const
  const { root } = await delegated(scene, { fetch })
  const scopes = [testGrant({ ...onward, fields: { include: ['height'] }, fetch })]
  const take = async (chain: string, by: TestParticipant) => {
    const verdict = await scene.check.decide(question(scene, chain, { by }))
    await scene.release(verdict)
    return verdict.allowed || verdict.code
  }
  assert.equal(await take(delegate(scene, root, { scopes }), firm), true)
  assert.equal(await take(delegate(scene, root, { scopes, delegation: 'fresh' }), firm), true)
  assert.equal(await take(delegate(scene, root, { scopes, delegation: 'fresher' }), firm), 'consent-quota')
  assert.equal(await take(root, lab), 'consent-quota')
})

test('a person who was erased is gone, though a token is good still', async () => {
  await using scene = await openCheckScene()
  const id = await consentTo(scene, body)
  const authorization = await tokenOf(scene, id)
  const handle = scene.vault.handleOf(athlete)
  await scene.database.execute(scene.vault.destroy(handle, scene.world.nowMs))
  await scene.vault.forget(handle)
  const pairwise = scene.vault.pairwise(athlete, lab.did)
  for (const subject of [athlete, pairwise]) {
    assert.equal(await outcome(scene.check, question(scene, authorization, { subject })), 'consent-inactive')
  }
})
