/** What follows a decision: narrower revisions, and the renewed template that takes the place of the one before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { signTemplate } from '@comity/core/consent/consent-template'
import {
  bySubject,
  codeOf,
  dayMs,
  grantedConsent,
  lab,
  linkProof,
  openScene,
  startMs,
  stepTypes,
  toldToNodes,
} from './consent-scene.ts'

const twoGrants = testRequest({
  grants: [
    testGrant({ fields: { include: ['height', 'weight', 'sport'], exclude: ['results[].rank'] } }),
    testGrant({ grant: 'g2', domains: ['identity'] }),
    testGrant({ grant: 'no', effect: 'deny', fields: { include: ['weight'] } }),
  ],
})

test('a narrower revision follows the one before it, and nothing grows', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const id = await grantedConsent(scene, twoGrants, { grants: [{ id: 'g1' }, { id: 'g2' }] })
  world.nowMs += dayMs
  const choice = { grants: [{ id: 'g1', fields: ['sport'] }], expires: '2026-03-20T00:00:00Z' }
  const draft = await consents.draft(id, choice, bySubject())
  const standing = await consents.grant(draft, linkProof(draft), bySubject())
  assert.deepEqual([standing.state, standing.rev], ['active', 2])
  const records = await consents.records(id)
  verifyRecordChain(records)
  assert.deepEqual(records[1]?.validity, { notBefore: '2026-03-01T10:00:00Z', expires: '2026-03-20T00:00:00Z' })
  assert.deepEqual(await stepTypes(scene, id), ['requested', 'granted', 'amended'])
  verifyEventChain(await consents.events(id))
  for (const wider of [
    { grants: [{ id: 'g1', fields: ['height'] }] },
    { grants: [{ id: 'g2' }] },
    { grants: [{ id: 'g1' }], expires: '2026-03-21T00:00:00Z' },
  ])
    assert.equal(await codeOf(consents.draft(id, wider, bySubject())), 'consent-choice-invalid')
  assert.deepEqual((await toldToNodes(scene)).at(-1), { recipient: lab.did, state: 'active', seq: 3 })
})

test('a paused consent that is narrowed stays paused', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await grantedConsent(scene, twoGrants)
  const by = { by: 'subject', actorId: 'ps_x', method: 'page' } as const
  await consents.pause(id, by)
  const draft = await consents.draft(id, { grants: [{ id: 'g1', fields: ['sport'] }] }, bySubject())
  assert.equal((await consents.grant(draft, linkProof(draft), bySubject())).state, 'paused')
  assert.equal((await consents.resume(id, by)).state, 'active')
})

test('a renewed template takes the place of what was granted by it before, in one transaction', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const { grants = [], notice, duration = '', ...rest } = testRequest()
  const text = notice?.text ?? {}
  const template = { iss: lab.did, id: 'urn:t', version: '1', kind: 'personal', title: text, notice: { text } } as const
  const request = { ...rest, template: signTemplate({ ...template, grants, duration }, lab, startMs) }
  const first = await grantedConsent(scene, request)
  const other = await grantedConsent(scene, testRequest())
  world.nowMs += dayMs
  const second = await grantedConsent(scene, request)
  const states = await Promise.all([first, other, second].map(async (id) => (await consents.find(id))?.state))
  assert.deepEqual(states, ['superseded', 'active', 'active'])
  const [last, before] = await Promise.all([scene.store.loadSteps(second), scene.store.loadSteps(first)])
  assert.equal(last.at(-1)?.event, before.at(-1)?.event)
  verifyEventChain(await consents.events(first))
})
