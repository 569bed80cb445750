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
    for (const secret of [athlete, 'We study', 'athletes'])
      assert.ok(!text.includes(secret), `${String(name)} holds \`${secret}\``)
    // A whole one: three characters of it stand in sealed texts by chance.
    assert.doesNotMatch(text, /[^\w-]ps_[\w-]{16}/, `${String(name)} holds a pairwise id`)
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
