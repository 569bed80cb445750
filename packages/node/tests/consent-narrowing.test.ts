/** A person takes back a part of what they gave: what was received of it is owed at once, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGrant, testLabels, testPurposes, testRequest } from '@comity/core/consent/test-consent'
import { decideDropped } from '../src/consent/holder/narrowing-duties.ts'
import {
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
  type Scene,
} from './consent-scene.ts'

const deleteIn = (deleteWithin: string) => ({ onWithdrawal: 'delete', deleteWithin }) as const
const asked = testRequest({
  grants: [
    testGrant({ retention: deleteIn('P10D') }),
    testGrant({ grant: 'g2', domains: ['identity'], retention: { onWithdrawal: 'anonymise' } }),
  ],
})
const whole = { grants: [{ id: 'g1' }, { id: 'g2' }] }

async function amend(scene: Scene, id: string, choice: Parameters<Scene['consents']['draft']>[1]): Promise<void> {
  const draft = await scene.consents.draft(id, choice, bySubject())
  await scene.consents.grant(draft, linkProof(draft), bySubject())
}

test('fields that a new revision gives no more are owed by the recipient and its delegates at once', async () => {
  await using scene = await openScene()
  const { consents, store, database, vault } = scene
  const id = await grantedConsent(scene, asked, whole)
  const delegate = { consent: id, delegation: 'd1', delegator: lab.did, delegate: firm.did, depth: 1 }
  await database.execute([store.insertDelegate({ ...delegate, firstSeenMs: startMs, endedMs: undefined })])
  await amend(scene, id, { grants: [{ id: 'g1', fields: ['sport', 'height'] }, { id: 'g2' }] })
  const about = { consent: id, subjectPairwise: vault.pairwise(athlete, lab.did), subject: vault.handleOf(athlete) }
  const fields = ['weight', 'results[].event', 'results[].rank']
  const owed = { ...about, kind: 'delete', dueMs: startMs + 10 * dayMs, fields }
  assert.deepEqual(await imposed(scene), [
    { ...owed, debtor: lab.did },
    { ...owed, debtor: firm.did },
  ])
  await amend(scene, id, { grants: [{ id: 'g1', fields: ['sport', 'height'] }] })
  const anonymise = { ...about, kind: 'anonymise', dueMs: startMs + 30 * dayMs, fields: ['name', 'born'] }
  assert.deepEqual((await imposed(scene)).slice(2), [
    { ...anonymise, debtor: lab.did },
    { ...anonymise, debtor: firm.did },
  ])
  const before = (await imposed(scene)).length
  await consents.withdraw(id, { by: 'subject', actorId: 'the subject', method: 'api' })
  const atEnd = (await imposed(scene)).slice(before)
  assert.ok(atEnd.length === 4 && atEnd.every(({ fields: some }) => some === undefined), 'the rest is owed at the end')
})

test('a decision that is made again gives what is given: no revision, and every token stays good', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const choice = { grants: [{ id: 'g1', fields: ['sport', 'height'] }] }
  const id = await grantedConsent(scene, asked, choice)
  const before = await consents.find(id)
  const steps = (await consents.events(id)).length
  world.nowMs += 5_000
  for (const same of [choice, { ...choice, expires: (await consents.records(id))[0]?.validity.expires }, reordered]) {
    const by = bySubject()
    const draft = await consents.draft(id, same, by)
    assert.deepEqual(await consents.grant(draft, linkProof(draft), by), before)
  }
  assert.deepEqual([(await consents.records(id)).length, (await consents.events(id)).length], [1, steps])
  const by = bySubject()
  const draft = await consents.draft(id, choice, by)
  const forged = { ...linkProof(draft), by: 'ps_other' }
  assert.equal(await codeOf(consents.grant(draft, forged, by)), 'consent-proof-invalid')
  await amend(scene, id, { ...choice, expires: '2026-03-05T10:00:00Z' })
  assert.equal((await consents.find(id))?.rev, 2)
})

const reordered = { grants: [{ id: 'g1', fields: ['height', 'sport'] }] }

test('a revision that is only shorter imposes nothing', async () => {
  await using scene = await openScene()
  const id = await grantedConsent(scene, asked, { grants: [{ id: 'g1', fields: ['height'] }] })
  await amend(scene, id, { grants: [{ id: 'g1', fields: ['height'] }], expires: '2026-03-05T10:00:00Z' })
  assert.deepEqual(await imposed(scene), [])
})

test('what is dropped is what no grant gives any more, whatever it is for', () => {
  const describe = (id: string) => (id === 'athletes' ? { labels: testLabels } : undefined)
  const dropped = (before: ReturnType<typeof testGrant>[], after: ReturnType<typeof testGrant>[]) =>
    decideDropped({ before, after }, describe, startMs).map(({ kind, fields }) => [kind, fields])
  const retention = deleteIn('P1D')
  const body = testGrant({ fields: { include: ['height', 'weight'] }, retention })
  const include = (...fields: string[]) => ({ ...body, fields: { include: fields } })
  assert.deepEqual(dropped([body], [body]), [])
  assert.deepEqual(dropped([body], [{ ...body, purposes: [testPurposes.marketing] }]), [], 'for another purpose')
  assert.deepEqual(dropped([body], [include('height')]), [['delete', ['weight']]])
  assert.deepEqual(dropped([body, { ...body, grant: 'g2' }], [{ ...body, grant: 'g2' }]), [], 'by another grant')
  assert.deepEqual(dropped([body], [body, { ...include('weight'), effect: 'deny' }]), [['delete', ['weight']]])
  assert.deepEqual(dropped([body], [{ ...body, fields: { exclude: ['height'] } }]), [['delete', ['height']]])
  for (const onWithdrawal of ['retainLegal', undefined] as const)
    assert.deepEqual(dropped([{ ...body, retention: onWithdrawal && { onWithdrawal } }], []), [], 'may be kept')
  assert.deepEqual(dropped([{ ...body, products: ['gone'] }], []), [], 'a product that is offered no more')
  const both = [body, testGrant({ grant: 'g2', retention: { ...retention, deleteWithin: 'P2D' } })]
  const [owed, ...more] = decideDropped({ before: both, after: [] }, describe, startMs)
  assert.deepEqual([owed?.dueMs, owed?.fields.length, more], [startMs + dayMs, 5, []])
})
