/** Asking for the consent of a person who was erased: answered as for everybody else, and nobody is written to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testRequest } from '@comity/core/consent/test-consent'
import { Problem } from '@comity/core/problems'
import {
  athlete,
  bySubject,
  codeOf,
  dayMs,
  federation,
  grantedConsent,
  lab,
  openScene,
  toldToNodes,
  toldToSystems,
  type Scene,
} from './consent-scene.ts'

const ask = ({ consents }: Pick<Scene, 'consents'>, request: unknown = testRequest(), key?: string) =>
  consents.requestConsent(request, { did: lab.did, idempotencyKey: key })

const about = (reference: string) => testRequest({ subject: { reference, type: 'person' } })

test('a known, an unknown and an erased person are answered alike, and an erased one is not written to', async () => {
  await using scene = await openScene()
  const { vault, database, world } = scene
  await grantedConsent(scene, testRequest())
  const erased = vault.handleOf('erased')
  await vault.open(erased)
  await database.execute(vault.destroy(erased, world.nowMs))
  await vault.forget(erased)
  world.nowMs += 1_000
  const told = (await toldToSystems(scene)).length
  const other = { notice: { version: '4', text: { en: 'Other words.' } } }
  const answers = []
  for (const reference of [athlete, 'unknown', 'gone'])
    answers.push(await ask(scene, { ...about(reference), ...other }))
  await database.execute(vault.destroy(vault.handleOf('gone'), world.nowMs))
  await vault.forget(vault.handleOf('gone'))
  assert.equal((await toldToSystems(scene)).length, told + 3)
  const again = await ask(scene, { ...about('gone'), ...other })
  assert.deepEqual(again, answers[2])
  const fresh = await ask(scene, { ...about('erased'), ...other })
  const shapes = [...answers, fresh].map(({ id, ...rest }) => ({ ...rest, length: id.length }))
  for (const shape of shapes) assert.deepEqual(shape, shapes[0])
})

test('a person who was erased before gets no letter, and their reference is not kept', async () => {
  await using scene = await openScene()
  const { vault, database, world, consents } = scene
  await vault.open(vault.handleOf(athlete))
  await database.execute(vault.destroy(vault.handleOf(athlete), world.nowMs))
  await vault.forget(vault.handleOf(athlete))
  const first = await ask(scene, testRequest(), 'k')
  assert.equal(first.state, 'requested')
  assert.deepEqual(await ask(scene, testRequest(), 'k'), first)
  assert.deepEqual(await ask(scene), first)
  assert.equal(await codeOf(ask(scene, testRequest({ duration: 'P2D' }))), 'consent-state')
  assert.deepEqual(await toldToSystems(scene), [])
  assert.equal(await consents.referenceOf(first.id), undefined)
  assert.equal(await codeOf(consents.draft(first.id, { grants: [{ id: 'g1' }] }, bySubject())), 'subject-erased')
  world.nowMs += 14 * dayMs
  await consents.expireDue()
  assert.equal((await consents.requestOf(first.id, lab.did))?.state, 'expired')
})

/** As the holder's operator erases a person: what stands ends, then the key goes. */
async function erase({ consents, vault, database, world }: Scene, reference: string): Promise<void> {
  const subject = vault.handleOf(reference)
  const by = { by: 'holder', actorId: federation.did, method: 'api', reason: { code: 'erased' } } as const
  for (const { id, state } of await consents.list({ subject, limit: 100 }))
    if (state === 'requested' || state === 'deferred') await consents.revoke(id, by)
  await database.execute(vault.destroy(subject, world.nowMs))
  await vault.forget(subject)
}

test('an erasure shows to nobody who only asked: the request waits until it lapses, and nobody is told', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const erased = await ask(scene, about('1'), 'k')
  const deferred = await ask(scene, about('2'))
  await consents.defer(deferred.id, bySubject())
  await erase(scene, '1')
  await erase(scene, '2')
  for (const { id, ...rest } of [erased, deferred]) {
    assert.equal((await consents.find(id))?.state, 'revoked')
    assert.deepEqual(await consents.requestOf(id, lab.did), { id, ...rest })
  }
  assert.deepEqual(await toldToNodes(scene), [])
  assert.deepEqual(await ask(scene, about('1')), erased)
  assert.deepEqual(await ask(scene, about('1'), 'k'), erased)
  world.nowMs += 14 * dayMs
  assert.equal((await consents.requestOf(erased.id, lab.did))?.state, 'expired')
  const next = await ask(scene, about('1'))
  assert.notEqual(next.id, erased.id)
  assert.equal(next.state, 'requested')
})

test('after an erasure the same request and another one are answered as for everybody else', async () => {
  await using scene = await openScene()
  const { consents } = scene
  const answersFor = async (reference: string, first: { id: string }) => {
    const other = { ...about(reference), duration: 'P2D' }
    const refusal = async (...asked: [unknown, string?]) => {
      const error = await ask(scene, ...asked).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof Problem)
      const { consent, ...members } = error.members
      assert.ok(consent === undefined || consent === first.id)
      return [error.code, error.message, members, consent !== undefined]
    }
    return [
      (await ask(scene, about(reference))).id === first.id,
      (await ask(scene, about(reference), `key-${reference}`)).id === first.id,
      await refusal(other),
      await refusal(other, `key-${reference}`),
      await refusal(other, `new-${reference}`),
    ]
  }
  const answers = []
  for (const [reference, decision, isErased] of [
    ['1', 'none', false],
    ['2', 'none', true],
    ['3', 'refuse', false],
    ['4', 'refuse', true],
    ['5', 'defer', true],
  ] as const) {
    const first = await ask(scene, about(reference), `key-${reference}`)
    if (decision !== 'none') await consents[decision](first.id, bySubject())
    if (isErased) await erase(scene, reference)
    answers.push(await answersFor(reference, first))
  }
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  assert.deepEqual(
    (answers[0] ?? []).map((answer) => (Array.isArray(answer) ? answer[0] : answer)),
    [true, true, 'consent-state', 'idempotency-key-reused', 'consent-state'],
  )
})
