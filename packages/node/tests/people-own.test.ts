/** What a person has allowed: seen, paused, resumed and withdrawn on pages and by programs, by nobody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testRequest } from '@comity/core/consent/test-consent'
import { ownOnPage } from '../src/people/own-consents.ts'
import { athlete, bySubject, everything, grantedConsent, lab, linkProof, startMs } from './consent-scene.ts'
import { attribute } from './html-page.ts'
import { asked, Browser, openPeopleScene, type PeopleScene } from './people-scene.ts'

const stateOf = async ({ consents }: PeopleScene, id: string) => (await consents.find(id))?.state
const pageOf = (id: string) => `/me/consents/${id.replace('urn:uuid:', '')}`
const pathOf = (id: string, step: string) => `${pageOf(id)}/${step}`

/** A browser of the person, in a session opened by a link to all consents. */
async function signedIn(scene: PeopleScene, reference = athlete): Promise<Browser> {
  const { url } = await scene.people.createManageLink(reference)
  const browser = new Browser(scene)
  const shown = await browser.open(url)
  await browser.submit(shown, new URL(url).pathname)
  return browser
}

const used = (consent: string) => ({
  exchange: '019bc0f2-7d40-7cc3-98c4-dc0c0c073901',
  consent,
  atMs: startMs,
  caller: lab.did,
  product: 'athletes',
  purpose: 'https://w3id.org/dpv#AcademicResearch',
  released: ['height', 'sport'],
  withheld: ['weight'],
})

test('a link to all consents counts once, by the press of its button, not by being opened', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  const { url, expiresMs } = await scene.people.createManageLink(athlete)
  assert.equal(expiresMs, startMs + 7 * 86_400_000)
  const action = new URL(url).pathname
  const scanner = new Browser(scene)
  await scanner.open(url)
  assert.equal((await scanner.open('/me')).status, 401)
  const browser = new Browser(scene)
  const entered = await browser.submit(await browser.open(url), action)
  assert.equal(entered.path, '/me')
  assert.match(entered.page.text, /Sports Lab/)
  assert.match(entered.page.text, /31 March 2026 at 10:00 UTC/)
  assert.ok(entered.page.form(pathOf(id, 'withdraw')))
  const again = await new Browser(scene).post(action, [])
  assert.equal(again.status, 404)
  assert.equal((await new Browser(scene).open(url)).status, 404)
})

test("another site's page cannot put its visitor into the session of a link", async () => {
  await using scene = await openPeopleScene()
  const { url } = await scene.people.createManageLink(athlete)
  const action = new URL(url).pathname
  const visitor = new Browser(scene)
  const attacker = new Browser(scene)
  const { hidden } = (await attacker.open(url)).page.form(action)
  const forms: (readonly (readonly [string, string])[])[] = [[], hidden, [['form', '']]]
  for (const fields of forms) {
    for (const headers of [{ origin: 'null' }, { origin: scene.url }, {}]) {
      const answer = await visitor.post(action, fields, headers)
      assert.equal(answer.status, 403, JSON.stringify([fields, headers]))
      assert.match(answer.text, /form-refused/)
    }
  }
  // Opening the link in the visitor's window shows the attacker no token of theirs.
  await visitor.open(url)
  assert.equal((await visitor.post(action, hidden, { origin: 'null' })).status, 403)
  assert.equal((await visitor.open('/me')).status, 401)
})

test('a browser that does not tell where a form comes from enters by the page of the link', async () => {
  await using scene = await openPeopleScene()
  const { url } = await scene.people.createManageLink(athlete)
  const action = new URL(url).pathname
  const old = new Browser(scene)
  const first = await old.open(url)
  await old.open(url)
  assert.equal((await old.post(action, first.page.form(action).hidden, { origin: 'null' })).path, '/me')
})

test('however often a person was asked, what they allowed before is on a page', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  for (let times = 0; times < ownOnPage; times++) {
    await scene.consents.requestConsent(testRequest(), { did: lab.did })
    scene.world.nowMs += 14 * 86_400_000
    await scene.consents.expireDue()
  }
  const browser = await signedIn(scene)
  const hrefs = async (path: string) =>
    (await browser.open(path)).page.all('a').map((link) => attribute(link, 'href') ?? '')
  const first = await hrefs('/me')
  assert.equal(first.includes(pageOf(id)), false)
  const older = first.find((path) => path.startsWith('/me?before='))
  assert.ok((await hrefs(older ?? '')).includes(pageOf(id)))
})

test('one click pauses, resumes and withdraws, at once; what is over cannot be changed', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  const browser = await signedIn(scene)
  const expected = [
    ['pause', 'paused'],
    ['resume', 'active'],
    ['withdraw', 'withdrawn'],
  ] as const
  let me = await browser.open('/me')
  for (const [step, state] of expected) {
    me = await browser.submit(me, pathOf(id, step))
    assert.equal(me.path, '/me')
    assert.equal(await stateOf(scene, id), state)
  }
  assert.throws(() => me.page.form(pathOf(id, 'resume')))
  const token = me.page.form('/me/logout').hidden
  const late = await browser.post(pathOf(id, 'resume'), token)
  assert.equal(late.status, 409)
  assert.match(late.page.text, /not possible now/)
  const last = (await scene.consents.events(id)).at(-1)
  assert.deepEqual(last?.by, { id: (await scene.consents.records(id))[0]?.subject.id, role: 'subject' })
})

test('who has decided can withdraw right there, and sees this consent only', async () => {
  await using scene = await openPeopleScene()
  const other = await grantedConsent(scene, testRequest())
  scene.world.nowMs += 60_000
  const { id, link } = await asked(scene)
  const browser = new Browser(scene)
  const first = await browser.open(link)
  const fields: [string, string][] = [
    ['grant-0', 'yes'],
    ['fields-0', '0'],
    ['time', 'P30D'],
    ['act', 'grant'],
  ]
  await browser.submit(await browser.submit(first, '/c/decide', fields), '/c/confirm')
  const me = await browser.open('/me')
  assert.ok(me.page.form(pathOf(id, 'withdraw')))
  assert.throws(() => me.page.form(pathOf(other, 'withdraw')))
  const token = me.page.form('/me/logout').hidden
  assert.equal((await browser.post(pathOf(other, 'withdraw'), token)).status, 404)
  assert.equal((await browser.open(`/me/consents/${other.replace('urn:uuid:', '')}`)).status, 404)
  await browser.submit(me, pathOf(id, 'withdraw'))
  assert.equal(await stateOf(scene, id), 'withdrawn')
})

test('the consents and uses of another person are not there, and nothing tells whether they are', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  const mine = await grantedConsent(scene, testRequest({ subject: { reference: '9', type: 'person' } }))
  scene.uses.push(used(id))
  const browser = await signedIn(scene, '9')
  const token = (await browser.open('/me')).page.form('/me/logout').hidden
  const never = '019bc0f2-7d40-7cc3-98c4-dc0c0c070000'
  for (const uuid of [id.replace('urn:uuid:', ''), never]) {
    const answers = [
      await browser.open(`/me/consents/${uuid}`),
      await browser.post(pathOf(uuid, 'withdraw'), token),
      await browser.open(`/v1/me/consents/urn:uuid:${uuid}`),
      await browser.open(`/v1/me/consents/urn:uuid:${uuid}/uses`),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404, 404, 404],
    )
  }
  const proofs = [scene.uses[0]!.exchange, never].map((one) => browser.open(`/v1/me/access-log/${one}/proof`))
  for (const { status } of await Promise.all(proofs)) assert.equal(status, 404)
  assert.equal(await stateOf(scene, id), 'active')
  assert.equal(await stateOf(scene, mine), 'active')
  const nobody = await signedIn(scene, 'nobody knows this one')
  assert.match((await nobody.open('/me')).page.text, /There is nothing here/)
})

test('a person sees who read what, when and why, with a proof of each', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  scene.uses.push(used(id))
  const browser = await signedIn(scene)
  const shown = await browser.open(`/me/consents/${id.replace('urn:uuid:', '')}`)
  const row = shown.page.all('tr')[1]!
  const words = shown.page
    .all('td', row)
    .map((cell) => shown.page.all('a', cell).length)
    .join('')
  assert.equal(words, '00001')
  assert.match(shown.page.text, /did:web:lab\.example/)
  assert.match(shown.page.text, /height, sport/)
  assert.match(shown.page.text, /Withheld: weight/)
  assert.match(shown.page.text, /Academic Research/)
  const proof = attribute(shown.page.all('a', row)[0]!, 'href')!
  const answer = await browser.open(proof)
  assert.deepEqual(JSON.parse(answer.text), { exchange: scene.uses[0]!.exchange, proof: 'a proof' })
  assert.match(answer.headers.get('content-disposition') ?? '', /attachment/)
})

test('programs have the same by the same session; a change needs the token that no other page can send', async () => {
  await using scene = await openPeopleScene()
  const id = await grantedConsent(scene, testRequest())
  scene.uses.push(used(id))
  const browser = await signedIn(scene)
  const json = async (path: string) => JSON.parse((await browser.open(path)).text)
  const { form } = await json('/v1/me')
  const { consents } = await json('/v1/me/consents')
  assert.deepEqual([consents[0].id, consents[0].state, consents[0].recipient.name], [id, 'active', 'Sports Lab'])
  assert.equal((await json(`/v1/me/consents/${id}`)).records.length, 1)
  assert.equal((await json(`/v1/me/consents/${id}/uses`)).uses[0].withheld[0], 'weight')
  assert.equal((await json('/v1/me/access-log')).uses[0].at, '2026-03-01T10:00:00Z')
  const own = { origin: scene.url, 'sec-fetch-site': 'same-origin' }
  for (const headers of [
    own,
    { ...own, 'comity-form': 'x' },
    { origin: 'https://evil.example', 'comity-form': form },
  ]) {
    const refused = await browser.post(`/v1/me/consents/${id}:withdraw`, [], headers)
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, 'form-refused'])
  }
  const answer = await browser.post(`/v1/me/consents/${id}:withdraw`, [], { ...own, 'comity-form': form })
  assert.equal(JSON.parse(answer.text).state, 'withdrawn')
  assert.equal((await scene.consents.events(id)).at(-1)?.method, 'api')
  const stranger = await new Browser(scene).open('/v1/me/consents')
  assert.deepEqual([stranger.status, JSON.parse(stranger.text).code], [401, 'session-required'])
})

test('an address that tries wrong links has to wait; a person at another address does not', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const guesser = new Browser(scene, { 'x-forwarded-for': '198.51.100.7, 203.0.113.9' })
  const guess = () => guesser.open(`/c/${'B'.repeat(43)}`)
  for (let tried = 0; tried < 20; tried++) assert.equal((await guess()).status, 404)
  const limited = await guess()
  assert.equal(limited.status, 429)
  assert.ok(Number(limited.headers.get('retry-after')) > 0)
  assert.equal((await guesser.open(link)).status, 429)
  const forged = new Browser(scene, { 'x-forwarded-for': '198.51.100.8, 203.0.113.9' })
  assert.equal((await forged.open(link)).status, 429, 'what the caller wrote in front does not count')
  assert.equal((await new Browser(scene, { 'x-forwarded-for': '203.0.113.10' }).open(link)).status, 200)
  scene.world.nowMs += 60_000
  assert.equal((await guesser.open(link)).status, 200)
})

test('after an erasure a link and a session lead nowhere, and nothing about the person is left in the tables', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const browser = new Browser(scene)
  await browser.open(link)
  const handle = scene.vault.handleOf(athlete)
  await scene.database.execute([
    ...scene.vault.destroy(handle, scene.world.nowMs),
    ...scene.people.deleteSubject(handle),
  ])
  await scene.vault.forget(handle)
  assert.equal((await browser.open('/c')).status, 401)
  assert.ok([404, 410].includes((await new Browser(scene).open(link)).status))
  assert.deepEqual(await scene.database.all('SELECT * FROM people_sessions WHERE subject = ?', [handle]), [])
  assert.deepEqual(scene.errors, [])
})

test('links and sessions that are over are forgotten', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  await new Browser(scene).open(link)
  scene.world.nowMs += 20 * 86_400_000
  await scene.people.prune()
  for (const table of ['people_links', 'people_sessions']) {
    assert.deepEqual(await scene.database.all(`SELECT * FROM ${table}`), [])
  }
})

test('a second press of the button leads on in the browser that the first let in, and in no other', async () => {
  await using scene = await openPeopleScene()
  const { url } = await scene.people.createManageLink(athlete)
  const action = new URL(url).pathname
  const browser = new Browser(scene)
  const shown = await browser.open(url)
  assert.equal((await browser.submit(shown, action)).path, '/me')
  const again = await browser.submit(shown, action)
  assert.deepEqual([again.path, again.status], ['/me', 200])
  const other = new Browser(scene)
  const { url: own } = await scene.people.createManageLink('736041665')
  await other.submit(await other.open(own), new URL(own).pathname)
  assert.equal((await other.submit(shown, action)).status, 404)
})

test('a link that was not used opens nothing once the decision was made in the portal', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const early = new Browser(scene)
  await early.open(link)
  const draft = await scene.consents.draft(id, everything, bySubject())
  await scene.consents.grant(draft, linkProof(draft), bySubject())
  const late = new Browser(scene)
  assert.equal((await late.open(link)).status, 404)
  assert.equal((await late.open('/me')).status, 401)
  assert.equal((await early.open(link)).status, 200, 'who was there already is told how it stands')
})
