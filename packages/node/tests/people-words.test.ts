/** What a person understands of a request: names instead of ids, exclusions as such, in the language they read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { signTemplate } from '@comity/core/consent/consent-template'
import { testGrant, testPurposes, testRequest } from '@comity/core/consent/test-consent'
import { lab } from './consent-scene.ts'
import type { PersonNames } from '../src/people/ports.ts'
import { attribute, textOf, type HtmlPage } from './html-page.ts'
import { asked, Browser, openPeopleScene, type PeopleScene, type Visit } from './people-scene.ts'

const names: PersonNames = {
  product: (id) => (id === 'athletes' ? 'Athletes of the federation' : undefined),
  field: (path) => (path === 'height' ? { en: 'Body height', de: 'Körpergröße' } : undefined),
  domain: (domain) => (domain === 'sport' ? { en: 'Sport', de: 'Sportliches' } : undefined),
  participant: (did) => (did === 'did:web:firm.example' ? 'Statistics Firm' : undefined),
}

const grants: readonly ConsentGrant[] = [
  testGrant({
    purposes: [testPurposes.academic, 'https://lab.example/terms#StudyOfSleep'],
    transforms: [{ path: 'height', op: 'round', arg: 10 }],
    filters: [{ path: 'height', op: '>', value: 150 }],
    onward: { allow: 'listed', recipients: ['did:web:firm.example'], maxDepth: 1 },
    fields: { exclude: ['weight'] },
  }),
  testGrant({
    grant: 'no',
    effect: 'deny',
    title: { en: 'No advertising' },
    purposes: [testPurposes.marketing],
    fields: { include: ['height'] },
    geo: { allow: ['US'] },
  }),
  testGrant({ grant: 'nor', effect: 'deny', domains: ['identity'], fields: { exclude: ['name'] } }),
]

const ticks: [string, string][] = [
  ['grant-0', 'yes'],
  ['fields-0', '1'],
  ['time', 'P30D'],
  ['act', 'grant'],
]

const wordsOf = (text: string) => text.replace(/\s+/g, ' ').trim()
const wordsIn = ({ page }: Visit) => wordsOf(textOf(page.one('main')))

function missing(words: string, expected: readonly string[]): string[] {
  return expected.filter((text) => !words.includes(text))
}

/** The words of the list under the first text that says what is excluded. */
function below(page: HtmlPage, selector: (tag: string, className: string | undefined) => boolean): string[] {
  return page
    .all()
    .filter((element) => selector(element.tagName, attribute(element, 'class')))
    .map((element) => wordsOf(textOf(element)))
}

async function walk(scene: PeopleScene, lang: string) {
  const reference = `person-${lang}`
  const { id, link } = await asked(scene, { subject: { reference, type: 'person' }, grants: [...grants] })
  const browser = new Browser(scene, { 'accept-language': lang })
  const choice = await browser.open(link)
  const review = await browser.submit(choice, '/c/decide', ticks)
  await browser.submit(review, '/c/confirm')
  const [record] = await scene.consents.records(id)
  scene.uses.push({
    exchange: '019bc0f2-7d40-7cc3-98c4-dc0c0c073901',
    consent: id,
    atMs: scene.world.nowMs,
    caller: 'did:web:firm.example',
    product: 'athletes',
    purpose: testPurposes.academic,
    released: ['height'],
    withheld: ['weight'],
  })
  const me = await browser.open('/me')
  const details = await browser.open(`/me/consents/${id.replace('urn:uuid:', '')}`)
  return { browser, choice, review, me, details, record }
}

test('fields, domains, products and organisations are called by their names, in the page`s language', async () => {
  await using scene = await openPeopleScene({ names })
  const english = await walk(scene, 'en')
  const data = ['Sport sport', 'Athletes of the federation athletes', 'Body height height: rounded to multiples of 10']
  const limits = ['Body height: height > 150', 'only to: Statistics Firm did:web:firm.example']
  for (const visit of [english.choice, english.review, english.details]) {
    assert.deepEqual(missing(wordsIn(visit), [...data, ...limits]), [], visit.path)
  }
  const label = english.choice.page.all('label').map((one) => wordsOf(textOf(one)))
  assert.ok(label.includes('Body height height'), label.join())
  scene.world.nowMs += 60_000
  const german = await walk(scene, 'de')
  assert.deepEqual(missing(wordsIn(german.choice), ['Körpergröße height: gerundet auf Vielfache von 10']), [])
  assert.deepEqual(missing(wordsIn(german.me), ['Sportliches']), [])
})

test('who asks is told by name and DID where the person decides, for a partner may call itself as it likes', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const words = wordsIn(await new Browser(scene).open(link))
  assert.ok(words.includes(`Sports Lab (Germany) asks Sports Federation for data about you. ${lab.did}`), words)
})

test('purposes of the vocabulary are words in every language; others have their IRI at hand', async () => {
  await using scene = await openPeopleScene()
  const expected = {
    en: 'Academic Research',
    de: 'akademische Forschung',
    fr: 'recherche universitaire',
    es: 'investigación académica',
    ar: 'البحث الأكاديمي',
  }
  for (const [lang, words] of Object.entries(expected)) {
    const { choice, details } = await walk(scene, lang)
    scene.world.nowMs += 60_000
    for (const visit of [choice, details]) {
      assert.deepEqual(missing(wordsIn(visit), [words, 'Study Of Sleep https://lab.example/terms#StudyOfSleep']), [])
    }
  }
})

test('what is excluded is shown as excluded on every page, with all that it says, and never among what is allowed', async () => {
  await using scene = await openPeopleScene({ names })
  const { choice, review, me, details, record } = await walk(scene, 'en')
  assert.deepEqual(record?.grants.map(({ effect }) => effect).toSorted(), ['deny', 'deny', 'permit'])
  const denied = ['No advertising', 'What for Marketing', 'Only these data Body height height', 'United States']
  const others = ['Kind of data identity', 'Not excluded name', 'Excluded in any case weight']
  for (const visit of [choice, review, details]) {
    assert.deepEqual(missing(wordsIn(visit), ['Excluded in any case', ...denied, ...others]), [], visit.path)
  }
  const inMe = below(me.page, (tag, name) => tag === 'ul' && name === 'denied')
  assert.deepEqual(inMe, ['No advertising: Body height identity (Not excluded: name)'])
  const allowed = below(me.page, (tag, name) => tag === 'ul' && name === undefined)
  assert.ok(allowed.includes('Sport: Body height') && allowed.every((text) => !text.includes('No advertising')))
  const given = review.page.all('section').find((one) => attribute(one, 'aria-labelledby') === 'given-heading')
  assert.doesNotMatch(textOf(given ?? assert.fail('is there')), /No advertising|identity/)
})

test('uses are told by names, with the DID at hand, and each cell by its heading', async () => {
  await using scene = await openPeopleScene({ names })
  const { details } = await walk(scene, 'en')
  const cells = details.page.all('td')
  assert.deepEqual(
    cells.slice(1).map((cell) => wordsOf(textOf(cell)).replace(/proof of.*/, 'proof')),
    [
      'Statistics Firm did:web:firm.example',
      'Athletes of the federation athletes Body height Withheld: weight',
      'Academic Research',
      'proof',
    ],
  )
  const heads = details.page.all('th').map((cell) => wordsOf(textOf(cell)))
  assert.deepEqual(
    cells.map((cell) => attribute(cell, 'data-label')),
    heads,
  )
})

test('every moment is an element with its time, told in the zone that is configured', async () => {
  await using scene = await openPeopleScene({ timeZone: 'Asia/Kolkata' })
  const { choice, review, me, details } = await walk(scene, 'en')
  for (const { page, path } of [choice, review, me, details]) {
    const times = page.all('time')
    assert.ok(times.length > 0, path)
    for (const time of times) {
      assert.match(attribute(time, 'datetime') ?? '', /^2026-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.match(textOf(time), /2026 at \d\d:\d\d \(India Standard Time\)$/)
    }
  }
  assert.match(wordsIn(me), /31 March 2026 at 15:30/)
})

test('a notice in none of the person`s languages is shown in English, not in the first by the alphabet', async () => {
  await using scene = await openPeopleScene()
  const text = { am: 'አማርኛ', en: 'In English.', fr: 'En français.' }
  const { link } = await asked(scene, { notice: { version: '1', text } })
  const shown = async (lang: string) => wordsIn(await new Browser(scene, { 'accept-language': lang }).open(link))
  assert.match(await shown('ja'), /In English\./)
  assert.match(await shown('de, fr;q=0.5'), /En français\./)
  assert.match(await shown('am'), /አማርኛ/)
  const subject = { reference: 'another person', type: 'person' } as const
  const other = await asked(scene, { subject, notice: { version: '1', text: { am: 'አማርኛ', sw: 'Kiswahili' } } })
  assert.match(wordsIn(await new Browser(scene).open(other.link)), /አማርኛ/)
})

test('a template is called by its title, in the person`s language, before and after the decision', async () => {
  await using scene = await openPeopleScene()
  const { grants: asksFor, notice, duration, ...rest } = testRequest()
  const title = { en: 'Sports medicine study', de: 'Sportmedizinische Studie' }
  const terms = { kind: 'personal', title, notice: { text: notice?.text ?? {} }, grants: asksFor ?? [] } as const
  const template = { iss: lab.did, id: 'urn:example:study', version: '3', ...terms, duration: duration ?? 'P30D' }
  const signed = signTemplate(template, lab, scene.world.nowMs)
  const { id } = await scene.consents.requestConsent({ ...rest, template: signed }, { did: lab.did })
  const browser = new Browser(scene, { 'accept-language': 'de' })
  const { url } = await scene.people.createDecideLink(id)
  const choice = await browser.open(url)
  const review = await browser.submit(choice, '/c/decide', ticks)
  await browser.submit(review, '/c/confirm')
  const details = await browser.open(`/me/consents/${id.replace('urn:uuid:', '')}`)
  for (const visit of [choice, review, details]) assert.match(wordsIn(visit), /Es geht um: Sportmedizinische Studie/)
})
