/** Asking for consent: what is taken, what is refused, and that no answer tells whether a person exists. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { signTemplate, type ConsentTemplate } from '@comity/core/consent/consent-template'
import { Problem } from '@comity/core/problems'
import {
  archive,
  athlete,
  bySubject,
  codeOf,
  dayMs,
  federation,
  firm,
  grantedConsent,
  lab,
  openScene,
  startMs,
  toldToNodes,
  toldToSystems,
  type Scene,
} from './consent-scene.ts'

const ask = ({ consents }: Pick<Scene, 'consents'>, request: unknown = testRequest(), key?: string) =>
  consents.requestConsent(request, { did: lab.did, idempotencyKey: key })

const about = (reference: string) => testRequest({ subject: { reference, type: 'person' } })

async function errorsOf(work: Promise<unknown>): Promise<string[]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Problem, String(error))
  assert.equal(error.code, 'consent-request-invalid')
  return (error.members['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
}

test('sends no link for who cannot decide for themselves: a representative gets one that names them', async () => {
  await using scene = await openScene()
  const subject = { reference: 'kid', type: 'child' } as const
  await scene.consents.requestConsent(testRequest({ subject, grantor: { capacity: 'guardian' } }), { did: lab.did })
  const [told] = await toldToSystems(scene)
  assert.deepEqual([told?.data['link'], told?.data['decides']], [undefined, ['guardian']])
  assert.deepEqual(await scene.database.all('SELECT * FROM made_links'), [])
})

test('keeps the request sealed, invites the person, and logs it, in one transaction', async () => {
  await using scene = await openScene()
  const { id, state, lapsesMs } = await ask(scene)
  assert.deepEqual([state, lapsesMs], ['requested', startMs + 14 * dayMs])
  const [told] = await toldToSystems(scene)
  assert.equal(told?.type, 'consent.requested')
  const { link, ...data } = told.data
  assert.match(String(link), /^https:\/\/consent\.federation\.example\/c\//)
  assert.deepEqual(data, {
    id,
    reference: athlete,
    subjectType: 'person',
    kind: 'personal',
    recipient: { did: lab.did, name: 'Sports Lab', country: 'DE' },
    decides: ['self', 'guardian', 'attorney'],
    languages: ['en', 'hi'],
    lapses: '2026-03-15T10:00:00Z',
  })
  const links = await scene.database.all('SELECT * FROM made_links')
  assert.deepEqual({ ...links[0] }, { consent: id, lifetime_ms: 14 * dayMs })
  assert.deepEqual(await toldToNodes(scene), [])
  const [entry] = await scene.log.readEvents({ subject: scene.vault.handleOf(athlete) })
  assert.equal(entry?.type, 'consent')
  assert.equal((await scene.consents.request(id)).recipient.name, 'Sports Lab')
  assert.equal(await scene.consents.referenceOf(id), athlete)
})

test('no table names the person, the notice or the grant in the clear', async () => {
  await using scene = await openScene()
  await grantedConsent(scene, testRequest())
  const tables = await scene.database.all("SELECT name FROM sqlite_schema WHERE type = 'table'")
  assert.ok(tables.length > 12)
  for (const { name } of tables) {
    const text = JSON.stringify(await scene.database.all(`SELECT * FROM ${String(name)}`))
    for (const secret of [athlete, 'ps_', 'We study', 'athletes'])
      assert.ok(!text.includes(secret), `${String(name)} holds \`${secret}\``)
  }
})

test('the same request while it waits is the same request, with or without an idempotency key', async () => {
  await using scene = await openScene()
  const first = await ask(scene, testRequest(), 'k1')
  scene.world.nowMs += 5
  assert.deepEqual(await ask(scene), first)
  assert.deepEqual(await ask(scene, testRequest(), 'k1'), first)
  assert.equal(await codeOf(ask(scene, about('another'), 'k1')), 'idempotency-key-reused')
  assert.equal((await toldToSystems(scene)).length, 1)
})

test('one request of a recipient to a person waits at a time', async () => {
  await using scene = await openScene()
  const { id } = await ask(scene)
  const other = testRequest({ duration: 'P31D' })
  assert.equal(await codeOf(ask(scene, other)), 'consent-state')
  const byFirm = await scene.consents.requestConsent(other, { did: firm.did })
  assert.notEqual(byFirm.id, id)
  scene.world.nowMs += 14 * dayMs
  const next = await ask(scene, other)
  assert.notEqual(next.id, id)
  assert.equal((await scene.store.find(id))?.state, 'expired')
})

test('of many equal requests that come at once one is written', async () => {
  await using scene = await openScene()
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(scene)))
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1)
  assert.equal((await toldToSystems(scene)).length, 1)
  assert.equal((await scene.store.list({})).length, 1)
})

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

test('a month after it lapsed a request is forgotten; that there was one stays', async () => {
  await using scene = await openScene()
  const { consents, database, store, world } = scene
  const lapsed = await ask(scene, about('made-up'), 'k')
  const granted = await grantedConsent(scene, testRequest())
  world.nowMs += 14 * dayMs
  await consents.expireDue()
  world.nowMs += 30 * dayMs
  await database.execute(await consents.forgetLapsed())
  assert.equal(await consents.referenceOf(lapsed.id), 'made-up')
  world.nowMs += 1
  await database.execute(await consents.forgetLapsed())
  assert.equal(await consents.referenceOf(lapsed.id), undefined)
  assert.equal(await codeOf(consents.request(lapsed.id)), 'subject-erased')
  assert.equal((await store.findRequest(lapsed.id))?.body, '')
  assert.equal((await consents.requestOf(lapsed.id, lab.did))?.state, 'expired')
  assert.equal((await consents.events(lapsed.id)).at(-1)?.type, 'expired')
  assert.equal(await codeOf(ask(scene, about('another'), 'k')), 'idempotency-key-reused')
  assert.equal((await ask(scene, about('made-up'), 'k')).id, lapsed.id)
  assert.equal(await consents.referenceOf(granted), athlete)
  assert.notEqual((await ask(scene, about('made-up'))).id, lapsed.id)
})

test('a no and a later look to the recipient like a request that nobody has read', async () => {
  await using scene = await openScene()
  const { consents, world } = scene
  const refused = await ask(scene, about('1'))
  const deferred = await ask(scene, about('2'))
  const unread = await ask(scene, about('3'))
  await consents.refuse(refused.id, bySubject())
  await consents.defer(deferred.id, bySubject())
  const states = () =>
    Promise.all([refused, deferred, unread].map(async ({ id }) => (await consents.requestOf(id, lab.did))?.state))
  assert.deepEqual(await states(), ['requested', 'requested', 'requested'])
  assert.deepEqual(await ask(scene, about('1')), refused)
  assert.equal(await codeOf(ask(scene, { ...about('1'), duration: 'P2D' })), 'consent-state')
  assert.deepEqual(await toldToNodes(scene), [])
  world.nowMs += 14 * dayMs
  assert.deepEqual(await states(), ['expired', 'expired', 'expired'])
  await consents.expireDue()
  assert.deepEqual(await states(), ['expired', 'expired', 'expired'])
  assert.deepEqual(await toldToNodes(scene), [])
})

test('strangers do not write to people', async () => {
  await using scene = await openScene()
  assert.equal(await codeOf(scene.consents.requestConsent(testRequest(), { did: archive.did })), 'consent-unknown')
  assert.equal(await codeOf(scene.consents.requestConsent('?', { did: archive.did })), 'consent-unknown')
})

test('refuses what cannot be read, and every word that the node could not enforce', async () => {
  await using scene = await openScene()
  const pointers = (...grants: unknown[]) => errorsOf(ask(scene, { ...testRequest(), grants }))
  assert.deepEqual(await errorsOf(ask(scene, { ...testRequest(), extra: 1 })), [''])
  assert.deepEqual(await pointers(testGrant({ products: ['athletes', 'ghosts'] })), ['/grants/0/products/1'])
  assert.deepEqual(await pointers(testGrant({ domains: ['sport', 'sport.money'] })), ['/grants/0/domains/1'])
  assert.deepEqual(await pointers(testGrant({ actions: ['read', 'delete'] })), ['/grants/0/actions/1'])
  const fields = { include: ['height', 'shoes'], exclude: ['name'] }
  assert.deepEqual(await pointers(testGrant({ fields })), ['/grants/0/fields/include/1', '/grants/0/fields/exclude/0'])
  const elsewhere = testGrant({
    transforms: [{ path: 'born', op: 'year' }],
    filters: [
      { path: 'born', op: '<', value: '2000' },
      { path: 'shoes', op: '=', value: 1 },
    ],
  })
  assert.deepEqual(await pointers(testGrant(), { ...elsewhere, grant: 'g2' }), [
    '/grants/1/transforms/0',
    '/grants/1/filters/1',
  ])
  assert.deepEqual(await pointers(testGrant({ dataPeriod: { lookback: 'P60D' } })), ['/grants/0/dataPeriod'])
  assert.deepEqual(await pointers(testGrant({ modes: ['view', 'stream'] })), ['/grants/0/modes/1'])
  const obligations = Array.from({ length: 4 }, (_, i) => `urn:example:${i}:${'x'.repeat(1_500)}`)
  assert.deepEqual(await pointers(testGrant({ obligations })), ['/grants'])
  assert.deepEqual(await toldToSystems(scene), [])
})

test('takes a template that its organisation signed, and keeps which one it was', async () => {
  await using scene = await openScene()
  const jws = signTemplate(template, lab, startMs)
  const id = await grantedConsent(scene, withTemplate(jws))
  const [record] = await scene.consents.records(id)
  assert.deepEqual([record?.template?.id, record?.template?.version], [template.id, '3'])
  assert.deepEqual((await scene.consents.request(record?.id ?? '')).title, template.title)
  assert.equal(record?.notice.text, 'We study.')
})

test('refuses a template that is changed, from a stranger, from the future, or beyond what can be enforced', async () => {
  await using scene = await openScene()
  const code = (jws: string) => codeOf(ask(scene, withTemplate(jws)))
  const jws = signTemplate(template, lab, startMs)
  assert.equal(await code(`${jws.slice(0, -6)}AAAAAA`), 'template-invalid')
  assert.equal(await code(signTemplate({ ...template, iss: archive.did }, archive, startMs)), 'template-invalid')
  assert.equal(await code(signTemplate(template, lab, startMs + dayMs)), 'template-invalid')
  const ghosts = signTemplate({ ...template, grants: [testGrant({ products: ['ghosts'] })] }, lab, startMs)
  assert.deepEqual(await errorsOf(ask(scene, withTemplate(ghosts))), ['/template/grants/0/products/0'])
  assert.equal(
    await code(signTemplate({ ...template, iss: federation.did }, federation, startMs)),
    'nothing was thrown',
  )
})

const template: ConsentTemplate = {
  iss: lab.did,
  id: 'urn:example:sports-medicine',
  version: '3',
  kind: 'personal',
  title: { en: 'Sports medicine' },
  notice: { text: { en: 'We study.' } },
  grants: [testGrant()],
  duration: 'P30D',
}

function withTemplate(jws: string): unknown {
  const { grants, notice, duration, ...rest } = testRequest()
  void [grants, notice, duration]
  return { ...rest, template: jws }
}
