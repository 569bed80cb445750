/** A person decides, over HTTP and without scripts: what counts, what does not, and what is recorded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordHash, verifyRecordChain } from '@comity/core/consent/parse-record'
import { testGrant } from '@comity/core/consent/test-consent'
import { attribute, textOf } from './html-page.ts'
import { athlete, dayMs, lab, startMs } from './consent-scene.ts'
import { asked, Browser, openPeopleScene, type PeopleScene, type Visit } from './people-scene.ts'

const fieldOf = (visit: Visit, label: string): [string, string] => {
  const found = visit.page.all('label').find((one) => textOf(one).trim() === label)
  const input = visit.page.byId(attribute(found!, 'for') ?? '')
  return [attribute(input!, 'name') ?? '', attribute(input!, 'value') ?? '']
}

/** Ticks, chooses a time and presses the button. */
const choose =
  (browser: Browser) =>
  (visit: Visit, ticks: readonly [string, string][], time = 'P30D') =>
    browser.submit(visit, '/c/decide', [...ticks, ['time', time], ['act', 'grant']])

const stateOf = async ({ consents }: PeopleScene, id: string) => (await consents.find(id))?.state

test('a person grants a part, sees the record and its hash, and confirms: that record is kept, with the proof of the link', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const browser = new Browser(scene)
  const first = await browser.open(link)
  assert.equal(first.status, 200)
  const ticks = [['grant-0', 'yes'] as [string, string], fieldOf(first, 'sport'), fieldOf(first, 'height')]
  const review = await choose(browser)(first, ticks, 'P7D')
  assert.equal(review.path, '/c/review')
  assert.equal(await stateOf(scene, id), 'requested', 'nothing is allowed before the confirmation')
  const shown = textOf(review.page.all('code').find((code) => attribute(code, 'class') === 'hash')!)
  const done = await browser.submit(review, '/c/confirm')
  assert.equal(done.path, '/c/done')
  assert.match(done.page.text, /You allowed it/)
  const records = await scene.consents.records(id)
  verifyRecordChain(records)
  const [record] = records
  assert.equal(recordHash(record!), shown)
  assert.deepEqual(record!.grants[0]?.fields, { include: ['sport', 'height'] })
  assert.equal(Date.parse(record!.validity.expires), startMs + 7 * dayMs)
  assert.deepEqual(
    record!.proofs.map(({ type, role }) => [type, role]),
    [
      ['link', 'subject'],
      ['jws', 'holder'],
    ],
  )
  assert.deepEqual(
    (await scene.consents.events(id)).map(({ type, method }) => [type, method]),
    [
      ['requested', 'wire'],
      ['presented', 'page'],
      ['granted', 'page'],
    ],
  )
  assert.deepEqual(scene.errors, [])
})

test('opening a link any number of times uses nothing up and records nothing', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  for (let visit = 0; visit < 3; visit++) assert.equal((await new Browser(scene).open(link)).status, 200)
  const path = new URL(link).pathname
  assert.equal((await fetch(`${scene.listenerUrl}${path}`, { method: 'HEAD' })).status, 200)
  assert.equal((await scene.consents.events(id)).length, 1)
  assert.equal(await stateOf(scene, id), 'requested')
})

test('a link that was used, is too old, or never was is answered alike', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const browser = new Browser(scene)
  await browser.submit(await browser.open(link), '/c/decide', [['act', 'refuse']])
  assert.equal((await browser.open(link)).path, '/c/done', 'whoever used it sees where it stands')
  const strangers = new Browser(scene)
  const used = await strangers.open(link)
  const never = await strangers.open(`${scene.url}/c/${'A'.repeat(43)}`)
  const broken = await strangers.open(link.slice(0, -1))
  const other = await asked(scene, { subject: { reference: '9', type: 'person' } })
  scene.world.nowMs += 15 * dayMs
  const old = await new Browser(scene).open(other.link)
  const plain = ({ status, text }: Visit) => ({ status, text: text.replace(/[0-9a-f-]{36}/, '') })
  for (const answer of [used, never, broken, old]) {
    assert.deepEqual(plain(answer), plain(used))
    assert.equal(answer.status, 404)
    assert.match(answer.text, /link-invalid/)
  }
})

test('a form that is sent twice decides once', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const browser = new Browser(scene)
  const first = await browser.open(link)
  const review = await choose(browser)(first, [['grant-0', 'yes'], fieldOf(first, 'sport')])
  const both = await Promise.all([browser.submit(review, '/c/confirm'), browser.submit(review, '/c/confirm')])
  const again = await browser.submit(review, '/c/confirm')
  assert.ok([...both, again].some(({ path }) => path === '/c/done'))
  assert.match(again.page.text, /You allowed it/)
  assert.equal((await scene.consents.records(id)).length, 1)
  assert.deepEqual(scene.errors, [])
})

test('nothing is granted by what was not ticked: each fault is told with a way to its field, and ticks are kept', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene, { grants: [testGrant(), testGrant({ grant: 'g2', domains: ['identity'] })] })
  const browser = new Browser(scene)
  const first = await browser.open(link)
  const sport = fieldOf(first, 'sport')
  const cases: [ticks: [string, string][], time: string, words: RegExp][] = [
    [[], 'P30D', /You ticked nothing/],
    [[sport], 'P30D', /but not the permission itself/],
    [[['grant-1', 'yes']], 'P30D', /no data are ticked/],
    [[['grant-0', 'yes'], sport], '', /choose for how long/],
    [[['grant-0', 'yes'], sport], 'P10Y', /choose for how long/],
    [[['grant-0', 'no'], sport], 'P30D', /but not the permission itself/],
    [[['grant-7', 'yes']], 'P30D', /You ticked nothing/],
    [
      [
        ['grant-0', 'yes'],
        ['fields-0', '99'],
      ],
      'P30D',
      /no data are ticked/,
    ],
  ]
  for (const [ticks, time, words] of cases) {
    const answer = await choose(browser)(first, ticks, time)
    assert.equal(answer.status, 422)
    assert.match(answer.page.text, words)
    const summary = answer.page.all('div').find((one) => attribute(one, 'role') === 'alert')!
    for (const one of answer.page.all('a', summary)) {
      assert.ok(answer.page.byId(attribute(one, 'href')!.slice(1)), attribute(one, 'href'))
    }
    const kept = ticks.filter(([name, value]) => name !== 'grant-7' && value !== 'no' && value !== '99')
    assert.deepEqual(
      answer.page.form('/c/decide').hidden.filter(([name]) => name !== 'form'),
      kept,
    )
  }
  assert.equal(await stateOf(scene, id), 'requested')
})

test('who refuses has decided; who decides later can come back with the same link', async () => {
  await using scene = await openPeopleScene()
  const one = await asked(scene)
  const two = await asked(scene, { subject: { reference: '9', type: 'person' } })
  const browser = new Browser(scene)
  const refused = await browser.submit(await browser.open(one.link), '/c/decide', [
    ['act', 'refuse'],
    ['grant-0', 'yes'],
  ])
  assert.match(refused.page.text, /You refused/)
  assert.equal(await stateOf(scene, one.id), 'refused')
  const other = new Browser(scene)
  const later = await other.submit(await other.open(two.link), '/c/decide', [['act', 'later']])
  assert.match(later.page.text, /You decide later/)
  assert.equal(await stateOf(scene, two.id), 'deferred')
  const again = await new Browser(scene).open(two.link)
  assert.equal(again.status, 200)
  assert.ok(again.page.form('/c/decide'))
})

test('a choice that was changed in another window is shown, not granted', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const browser = new Browser(scene)
  const first = await browser.open(link)
  const one = await choose(browser)(first, [['grant-0', 'yes'], fieldOf(first, 'sport')])
  const two = await choose(browser)(await browser.open('/c'), [['grant-0', 'yes'], fieldOf(first, 'height')])
  const answer = await browser.submit(one, '/c/confirm')
  assert.equal(answer.status, 409)
  assert.match(answer.page.text, /changed in another window/)
  assert.equal(await stateOf(scene, id), 'requested')
  await browser.submit(two, '/c/confirm')
  assert.deepEqual((await scene.consents.records(id))[0]?.grants[0]?.fields?.include, ['height'])
})

test('of two devices with the same link the first decides, and the second decides nothing', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const phone = new Browser(scene)
  const desk = new Browser(scene)
  const shown = await phone.open(link)
  const review = await choose(phone)(shown, [['grant-0', 'yes'], fieldOf(shown, 'sport')])
  await desk.submit(await desk.open(link), '/c/decide', [['act', 'refuse']])
  const late = await phone.submit(review, '/c/confirm')
  assert.equal(late.status, 401)
  assert.equal(await stateOf(scene, id), 'refused')
})

for (const act of ['grant', 'refuse']) {
  test(`a program that opened the link before learns nothing once it was used to ${act}`, async () => {
    await using scene = await openPeopleScene()
    const { id, link } = await asked(scene)
    const scanner = new Browser(scene)
    assert.equal((await scanner.open(link)).status, 200)
    const browser = new Browser(scene)
    const shown = await browser.open(link)
    const done =
      act === 'grant'
        ? await browser.submit(
            await choose(browser)(shown, [['grant-0', 'yes'], fieldOf(shown, 'sport')]),
            '/c/confirm',
          )
        : await browser.submit(shown, '/c/decide', [['act', act]])
    assert.equal(done.path, '/c/done')
    assert.equal(await stateOf(scene, id), act === 'grant' ? 'active' : 'refused')
    assert.equal((await browser.open('/me')).status, 200)
    for (const path of ['/c', '/c/done', '/c/review', '/me']) assert.equal((await scanner.open(path)).status, 401, path)
  })
}

test('a form of another site, of another session, or without its token changes nothing', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const browser = new Browser(scene)
  const own = (await browser.open(link)).page.form('/c/decide').hidden
  const foreign = new Browser(scene)
  const token = (await foreign.open(link)).page.form('/c/decide').hidden
  const refuse: [string, string] = ['act', 'refuse']
  const cases: [[string, string][], Record<string, string>][] = [
    [own, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    [own, { 'sec-fetch-site': 'same-site' }],
    [own, { 'sec-fetch-site': 'cross-site' }],
    [own, { origin: 'https://evil.example' }],
    [own, { origin: `${scene.url}.evil.example` }],
    [[], { origin: scene.url }],
    [[['form', '']], { origin: scene.url }],
    [token, { origin: scene.url }],
  ]
  for (const [fields, headers] of cases) {
    const answer = await browser.post('/c/decide', [...fields, refuse], headers)
    assert.equal(answer.status, 403, JSON.stringify(headers))
    assert.match(answer.text, /form-refused/)
  }
  const noCookie = await new Browser(scene).post('/c/decide', [...own, refuse])
  assert.equal(noCookie.status, 401)
  assert.equal(await stateOf(scene, id), 'requested')
  assert.equal((await browser.post('/c/decide', [...own, refuse], { origin: scene.url })).path, '/c/done')
})

test('a session ends after a quarter of an hour of silence, and when it is closed', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const browser = new Browser(scene)
  await browser.open(link)
  scene.world.nowMs += 14 * 60_000
  assert.equal((await browser.open('/c')).status, 200)
  scene.world.nowMs += 14 * 60_000
  const me = await browser.open('/me')
  assert.equal(me.status, 200)
  const cookie = browser.cookies.get('comity-person')!
  await browser.submit(me, '/me/logout')
  browser.cookies.set('comity-person', cookie)
  assert.equal((await browser.open('/me')).status, 401, 'a cookie that was kept opens nothing')
  await browser.open(link)
  scene.world.nowMs += 16 * 60_000
  assert.equal((await browser.open('/me')).status, 401)
})

test('a guardian decides only where the link names one, says so, and stands in the record', async () => {
  await using scene = await openPeopleScene()
  const { id } = await asked(scene, { subject: { reference: athlete, type: 'child' } })
  const who = { id: 'urn:example:parent-17', capacity: 'guardian' } as const
  const { url } = await scene.people.createDecideLink(id, who)
  const browser = new Browser(scene)
  const first = await browser.open(url)
  const ticks: [string, string][] = [['grant-0', 'yes'], fieldOf(first, 'sport')]
  const unsaid = await choose(browser)(first, ticks)
  assert.equal(unsaid.status, 422)
  assert.match(unsaid.page.text, /in which role/)
  const review = await choose(browser)(first, [...ticks, ['capacity', 'guardian']])
  assert.match(review.page.text, /as a guardian: urn:example:parent-17/)
  await browser.submit(review, '/c/confirm')
  const [record] = await scene.consents.records(id)
  assert.deepEqual(record?.grantor, who)
  assert.deepEqual([record?.proofs[0]?.role, record?.proofs[0]?.by], ['grantor', who.id])
  const rows = JSON.stringify(await scene.database.all('SELECT * FROM people_links'))
  assert.ok(!rows.includes('parent-17'))
})

test('the notice is recorded in the language in which it was shown', async () => {
  await using scene = await openPeopleScene()
  const { id, link } = await asked(scene)
  const browser = new Browser(scene, { 'accept-language': 'hi-IN, de;q=0.8' })
  const first = await browser.open(link)
  assert.equal(attribute(first.page.one('html'), 'lang'), 'de', 'the pages speak the next best language')
  const notice = first.page.all('div').find((one) => attribute(one, 'class') === 'notice')!
  assert.deepEqual([attribute(notice, 'lang'), attribute(notice, 'dir')], ['hi', 'ltr'])
  const review = await choose(browser)(first, [['grant-0', 'yes'], fieldOf(first, 'sport')])
  await browser.submit(review, '/c/confirm')
  const [record] = await scene.consents.records(id)
  assert.equal(record?.notice.lang, 'hi')
  assert.equal(record?.notice.text, textOf(notice))
  assert.equal(record?.parties.find(({ role }) => role === 'recipient')?.id, lab.did)
})

test('no secret of a link, a cookie or a form is in the database, and no person is in the tables of the pages', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const browser = new Browser(scene)
  const first = await browser.open(link)
  await choose(browser)(first, [['grant-0', 'yes'], fieldOf(first, 'sport')])
  const tables = ['people_links', 'people_sessions', 'people_passkeys']
  const rows = await Promise.all(tables.map((table) => scene.database.all(`SELECT * FROM ${table}`)))
  const text = JSON.stringify(rows)
  const planted = [link.split('/c/')[1]!, ...browser.cookies.values(), first.page.form('/c/decide').hidden[0]![1]]
  assert.deepEqual(
    [...planted, athlete, 'Sports Lab', 'sport forms the body'].filter((word) => text.includes(word)),
    [],
  )
})
