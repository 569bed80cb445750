/** How a consent is halted and ended at its holder: who may, what it sets off, and that it cannot be undone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { decodeStatusList, getStatus, statusValues } from '@comity/core/status-list/status-list'
import { parseStatusList } from '@comity/core/status-list/status-list-token'
import { verifyEventChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import type { ConsentChange } from '../src/consent/consent-service.ts'
import {
  archive,
  athlete,
  bySubject,
  codeOf,
  dayMs,
  firm,
  grantedConsent,
  imposed,
  lab,
  linkProof,
  openScene,
  startMs,
  toldToNodes,
  toldToSystems,
  type Scene,
} from './consent-scene.ts'

const withDuties = testRequest({
  grants: [
    testGrant({ retention: { onWithdrawal: 'delete', deleteWithin: 'P10D' } }),
    testGrant({ grant: 'g2', domains: ['identity'], retention: { onWithdrawal: 'delete', deleteWithin: 'P3D' } }),
    testGrant({ grant: 'g3', domains: ['identity'], retention: { onWithdrawal: 'anonymise' } }),
    testGrant({ grant: 'g4', domains: ['identity'], retention: { onWithdrawal: 'retainLegal' } }),
  ],
})
const all = { grants: ['g1', 'g2', 'g3', 'g4'].map((id) => ({ id })) }

const by = (role: ConsentChange['by']): ConsentChange => ({ by: role, actorId: `the ${role}`, method: 'api' })
const subject = by('subject')

async function knowDelegate({ store, database }: Scene, consent: string, change: object = {}): Promise<void> {
  const delegate = { consent, delegation: 'd1', delegator: lab.did, delegate: firm.did, depth: 1, firstSeenMs: startMs }
  await database.execute([store.insertDelegate({ ...delegate, endedMs: undefined, ...change })])
}

test('a withdrawal is one transaction: row, step, log, status, word to every party, duties', async () => {
  await using scene = await openScene()
  const { consents, vault, store } = scene
  const id = await grantedConsent(scene, withDuties, all)
  await knowDelegate(scene, id)
  await knowDelegate(scene, id, { delegation: 'd2', delegate: archive.did, endedMs: startMs + 1 })
  const standing = await consents.withdraw(id, { ...subject, reason: { code: 'changed-mind', text: 'no more' } })
  assert.deepEqual([standing.state, standing.rev], ['withdrawn', 1])
  const events = await consents.events(id)
  verifyEventChain(events)
  assert.deepEqual(events.at(-1)?.reason, { code: 'changed-mind', text: 'no more' })
  const [entry] = (await scene.log.readEvents({ subject: vault.handleOf(athlete) })).slice(-1)
  assert.equal((await store.loadSteps(id)).at(-1)?.event, entry?.id)
  assert.deepEqual((await toldToNodes(scene)).slice(-2), [
    { recipient: firm.did, state: 'withdrawn', seq: 3 },
    { recipient: lab.did, state: 'withdrawn', seq: 3 },
  ])
  const subjectPairwise = vault.pairwise(athlete, lab.did)
  const owed = (kind: string, debtor: string, days: number) => {
    return {
      kind,
      consent: id,
      subjectPairwise,
      subject: vault.handleOf(athlete),
      debtor,
      dueMs: startMs + days * dayMs,
    }
  }
  assert.deepEqual(
    await imposed(scene),
    [lab, firm, archive].flatMap(({ did }) => [owed('delete', did, 3), owed('anonymise', did, 30)]),
  )
  assert.equal(await statusOf(scene, id), 'invalid')
  const told = (await toldToSystems(scene)).at(-1)?.data
  assert.deepEqual([told?.['state'], told?.['by'], told?.['reference']], ['withdrawn', 'subject', athlete])
})

test('what was read under a grant that was dropped later is owed for too', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, withDuties, { grants: [{ id: 'g1' }, { id: 'g3' }] })
  const draft = await scene.consents.draft(id, { grants: [{ id: 'g3' }] }, bySubject())
  await scene.consents.grant(draft, linkProof(draft), bySubject())
  await scene.consents.withdraw(id, subject)
  const ofEnd = (await imposed(scene)).filter(({ fields }) => fields === undefined)
  const owed = ofEnd.map(({ debtor, kind, dueMs }) => [debtor, kind, dueMs])
  assert.deepEqual(owed, [
    [lab.did, 'delete', startMs + 10 * dayMs],
    [lab.did, 'anonymise', startMs + 30 * dayMs],
  ])
})

test('a request that was never granted leaves no trace in the status list, however it ended', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const ask = async (reference: string) => {
    const asked = testRequest({ subject: { reference, type: 'person' } })
    return (await consents.requestConsent(asked, { did: lab.did })).id
  }
  const [lapsed, refused, revoked] = [await ask('1'), await ask('2'), await ask('3')]
  await consents.refuse(refused, bySubject())
  await consents.revoke(revoked, by('holder'))
  world.nowMs += 14 * dayMs
  await consents.expireDue()
  assert.equal((await consents.find(lapsed))?.state, 'expired')
  for (const id of [lapsed, refused, revoked]) assert.equal(await statusOf(scene, id), 'valid')
})

test('what has ended stays a row, and nothing moves it again', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  for (const end of ['withdraw', 'revoke', 'expire'] as const) {
    const id = await grantedConsent(scene, testRequest({ subject: { reference: end, type: 'person' } }))
    if (end === 'withdraw') await consents.withdraw(id, subject)
    if (end === 'revoke') await consents.revoke(id, by('holder'))
    if (end === 'expire') {
      world.nowMs += 31 * dayMs
      await consents.expireDue()
    }
    const row = await scene.store.find(id)
    for (const work of [
      consents.resume(id, subject),
      consents.pause(id, subject),
      consents.withdraw(id, subject),
      consents.revoke(id, by('holder')),
    ])
      assert.equal(await codeOf(work), 'consent-state')
    await consents.expireDue()
    assert.deepEqual(await scene.store.find(id), row)
    assert.equal(row?.dueMs, undefined)
  }
})

test('each end may be made by whom it belongs to, and by nobody else', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await grantedConsent(scene, testRequest())
  for (const role of ['holder', 'recipient', 'clock'] as const)
    assert.equal(await codeOf(consents.withdraw(id, by(role))), 'consent-state')
  for (const role of ['subject', 'grantor', 'clock'] as const)
    assert.equal(await codeOf(consents.revoke(id, by(role))), 'consent-state')
  for (const role of ['recipient', 'clock'] as const)
    assert.equal(await codeOf(consents.pause(id, by(role))), 'consent-state')
  assert.equal((await consents.find(id))?.state, 'active')
  assert.equal((await consents.revoke(id, by('recipient'))).state, 'revoked')
})

test('a pause is suspended everywhere, and lifted only by the side that made it', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await grantedConsent(scene, withDuties, all)
  await consents.pause(id, by('holder'))
  assert.equal(await statusOf(scene, id), 'suspended')
  assert.equal(await codeOf(consents.resume(id, subject)), 'consent-state')
  assert.equal(await codeOf(consents.pause(id, subject)), 'consent-state')
  await consents.resume(id, by('holder'))
  assert.equal(await statusOf(scene, id), 'valid')
  await consents.pause(id, subject)
  assert.equal(await codeOf(consents.resume(id, by('holder'))), 'consent-state')
  assert.equal((await consents.resume(id, by('grantor'))).state, 'active')
  await consents.pause(id, subject)
  assert.equal((await consents.withdraw(id, subject)).state, 'withdrawn')
  const states = (await toldToNodes(scene)).map(({ state }) => state)
  assert.deepEqual(states, ['active', 'paused', 'active', 'paused', 'active', 'paused', 'withdrawn'])
  assert.equal((await imposed(scene)).length, 2)
  verifyEventChain(await consents.events(id))
})

test('an end counts at its moment, before the clock has written it down and after', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const id = await grantedConsent(scene, withDuties, { ...all, expires: '2026-03-05T00:00:00Z' })
  world.nowMs = Date.parse('2026-03-04T23:59:59.999Z')
  assert.equal((await consents.find(id))?.state, 'active')
  await consents.expireDue()
  assert.equal((await consents.find(id))?.state, 'active')
  world.nowMs += 1
  assert.equal((await consents.find(id))?.state, 'expired')
  assert.equal((await scene.store.find(id))?.state, 'active')
  assert.equal(await codeOf(consents.withdraw(id, subject)), 'consent-state')
  assert.deepEqual(await consents.list({ state: 'active' }), [])
  await consents.expireDue()
  assert.equal((await scene.store.find(id))?.state, 'expired')
  assert.equal((await consents.events(id)).at(-1)?.by.role, 'clock')
  assert.equal((await toldToNodes(scene)).at(-1)?.state, 'expired')
  assert.equal((await imposed(scene)).length, 2)
  assert.equal(await statusOf(scene, id), 'invalid')
})

test('a consent runs out while it is paused too', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, testRequest())
  await scene.consents.pause(id, subject)
  scene.world.nowMs += 30 * dayMs
  assert.equal((await scene.consents.find(id))?.state, 'expired')
  assert.equal(await codeOf(scene.consents.resume(id, subject)), 'consent-state')
  await scene.consents.expireDue()
  assert.equal((await scene.store.find(id))?.state, 'expired')
})

test('of a pause, a withdrawal and a revocation at once each has its turn, and what comes after the end reads the state', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await grantedConsent(scene, withDuties, all)
  const work = [consents.pause(id, subject), consents.withdraw(id, subject), consents.revoke(id, by('holder'))]
  const codes = await Promise.all(work.map(codeOf))
  assert.deepEqual(codes, ['nothing was thrown', 'nothing was thrown', 'consent-state'])
  assert.equal((await consents.find(id))?.state, 'withdrawn')
  verifyEventChain(await consents.events(id))
})

test('an end that cannot be written has not happened, and happens when it is tried again', async () => {
  await using scene = await openScene()
  const { consents, database, world } = scene
  const id = await grantedConsent(scene, withDuties, all)
  const told = await toldToNodes(scene)
  const row = await scene.store.find(id)
  database.fails = () => 'before'
  assert.equal(await codeOf(consents.withdraw(id, subject)), 'record-failed')
  world.nowMs += 31 * dayMs
  await assert.rejects(consents.expireDue())
  database.fails = () => undefined
  assert.deepEqual(await scene.store.find(id), row)
  assert.deepEqual([await toldToNodes(scene), await imposed(scene)], [told, []])
  await consents.expireDue()
  assert.equal((await scene.store.find(id))?.state, 'expired')
})

test('more consents than one look takes run out in one go', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const references = Array.from({ length: 120 }, (_, i) => `athlete ${i}`)
  for (const reference of references)
    await consents.requestConsent(testRequest({ subject: { reference, type: 'person' } }), { did: lab.did })
  world.nowMs += 14 * dayMs
  await consents.expireDue()
  assert.deepEqual(await scene.store.findDue(world.nowMs, 9), [])
  assert.equal((await consents.list({ state: 'expired', limit: 500 })).length, 120)
})

test('of an erased person the row stays and runs out, without a word about them', async () => {
  await using scene = await openScene()
  const { consents, vault, database, world } = scene
  const id = await grantedConsent(scene, withDuties, all)
  const handle = vault.handleOf(athlete)
  await database.execute(vault.destroy(handle, world.nowMs))
  await vault.forget(handle)
  assert.deepEqual([await consents.records(id), await consents.events(id)], [[], []])
  assert.equal(await consents.referenceOf(id), undefined)
  assert.equal(await codeOf(consents.request(id)), 'subject-erased')
  assert.equal((await consents.find(id))?.state, 'active')
  world.nowMs += 30 * dayMs
  await consents.expireDue()
  assert.equal((await scene.store.find(id))?.state, 'expired')
  assert.equal((await toldToNodes(scene)).at(-1)?.state, 'expired')
  const last = (await scene.log.readEvents({ from: 2 })).at(-1)
  assert.match(last?.body ?? '', /"type":"expired"/)
  assert.doesNotMatch(last?.body ?? '', /[^\w-]ps_[\w-]{16}/)
})

/** What the published list of the federation says. */
async function statusOf({ store, statusLists }: Scene, id: string): Promise<string | undefined> {
  const status = (await store.find(id))?.status
  const { claims } = parseStatusList((await statusLists.token(1)) ?? '')
  const inflate = (bytes: Uint8Array, maxOutputLength: number) => inflateSync(bytes, { maxOutputLength })
  const value = getStatus(decodeStatusList(claims.status_list, inflate), status?.idx ?? -1)
  return Object.entries(statusValues).find(([, number]) => number === value)?.[0]
}
