/** Decisions that race, come twice, or whose transaction fails: one counts, whole, or none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyEventChain } from '@comity/core/consent/parse-record'
import { asked, bySubject, codeOf, everything, linkProof, openScene, toldToNodes } from './consent-scene.ts'

test('of two decisions at once one counts, and the other reads where the consent stands', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await asked(scene)
  const [one, other] = await Promise.all([
    consents.draft(id, everything, bySubject()),
    consents.draft(id, { ...everything, expires: '2026-03-02T00:00:00Z' }, bySubject()),
  ])
  const codes = await Promise.all([
    codeOf(consents.grant(one, linkProof(one), bySubject())),
    codeOf(consents.grant(other, linkProof(other), bySubject())),
    codeOf(consents.refuse(id, bySubject())),
    codeOf(consents.grant(one, linkProof(one), bySubject())),
  ])
  assert.deepEqual(codes.toSorted(), ['consent-state', 'consent-state', 'consent-state', 'nothing was thrown'])
  assert.equal((await consents.events(id)).length, 2)
  assert.ok((await consents.records(id)).length <= 1)
  verifyEventChain(await consents.events(id))
})

test('a decision that is sent again after it counted changes nothing', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const id = await asked(scene)
  const draft = await consents.draft(id, everything, bySubject())
  await consents.grant(draft, linkProof(draft), bySubject())
  assert.equal(await codeOf(consents.grant(draft, linkProof(draft), bySubject())), 'consent-state')
  assert.equal(await codeOf(consents.refuse(id, bySubject())), 'consent-state')
  assert.equal((await consents.records(id)).length, 1)
})

test('a transaction that fails leaves nothing, and the same decision counts when it is tried again', async () => {
  await using scene = await openScene()
  const { consents, database } = scene
  const id = await asked(scene)
  const draft = await consents.draft(id, everything, bySubject())
  const isGrant = (sql: string) => sql.includes('INTO consent_revisions')
  database.fails = (statements) => (statements.some(({ sql }) => isGrant(sql)) ? 'before' : undefined)
  const before = await scene.store.find(id)
  const codes = await codeOf(consents.grant(draft, linkProof(draft), bySubject()))
  assert.equal(codes, 'record-failed')
  assert.deepEqual(await scene.store.find(id), before)
  assert.deepEqual(await toldToNodes(scene), [])
  database.fails = () => undefined
  await consents.grant(draft, linkProof(draft), bySubject())
  assert.equal((await consents.find(id))?.state, 'active')
})

test('a transaction that fails after it took effect is found to have done so', async () => {
  await using scene = await openScene()
  const { consents, database } = scene
  const id = await asked(scene)
  const draft = await consents.draft(id, everything, bySubject())
  database.fails = () => 'after'
  assert.equal(await codeOf(consents.grant(draft, linkProof(draft), bySubject())), 'consent-state')
  database.fails = () => undefined
  assert.equal((await consents.find(id))?.state, 'active')
  assert.equal((await consents.records(id)).length, 1)
})
