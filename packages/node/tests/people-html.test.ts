/** The pages as a browser and a reader of screens take them: structure, languages, and other people's text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testGrant } from '@comity/core/consent/test-consent'
import { attribute, textOf, type HtmlElement, type HtmlPage } from './html-page.ts'
import { asked, Browser, openPeopleScene, type PeopleScene, type Visit } from './people-scene.ts'

const ticks: [string, string][] = [
  ['grant-0', 'yes'],
  ['fields-0', '0'],
  ['time', 'P30D'],
  ['act', 'grant'],
]
const everything = [
  testGrant({
    title: { en: 'Sport and body', ar: 'الرياضة والجسم' },
    modes: ['store'],
    fields: { exclude: ['weight'] },
    transforms: [{ path: 'height', op: 'round', arg: 10 }],
    filters: [{ path: 'sport', op: '=', value: 'judo' }],
    fetch: { type: 'periodic', max: 3, per: 'P1D' },
    maxUses: 20,
    retention: { for: 'P1Y', onWithdrawal: 'delete' },
    geo: { allow: ['DE', 'CH'] },
    onward: { allow: 'listed', recipients: ['did:web:firm.example'], maxDepth: 1 },
    necessity: 'optional',
  }),
  testGrant({ grant: 'g2', domains: ['identity'] }),
]

/** All pages that a person meets, in one language. */
async function walk(scene: PeopleScene, lang: string): Promise<Visit[]> {
  const reference = `person-${lang}`
  const { id, link } = await asked(scene, { subject: { reference, type: 'person' }, grants: everything })
  const browser = new Browser(scene, { 'accept-language': lang })
  const choice = await browser.open(link)
  const faulty = await browser.submit(choice, '/c/decide', [['act', 'grant']])
  const review = await browser.submit(choice, '/c/decide', ticks)
  const done = await browser.submit(review, '/c/confirm')
  scene.uses.push({
    exchange: `019bc0f2-7d40-7cc3-98c4-${scene.uses.length.toString().padStart(12, '0')}`,
    consent: id,
    atMs: scene.world.nowMs,
    caller: 'did:web:lab.example',
    product: 'athletes',
    purpose: 'https://w3id.org/dpv#AcademicResearch',
    released: ['height'],
    withheld: ['weight'],
  })
  const me = await browser.open('/me')
  const one = await browser.open(`/me/consents/${id.replace('urn:uuid:', '')}`)
  const manage = await browser.open((await scene.people.createManageLink(reference)).url)
  const gone = await new Browser(scene, { 'accept-language': lang }).open(link)
  const out = await browser.submit(me, '/me/logout')
  return [choice, faulty, review, done, me, one, manage, gone, out]
}

/** What makes a page unusable without eyes, without a mouse, or in another direction. */
function faultsOf(page: HtmlPage): string[] {
  const faults: string[] = []
  const html = page.one('html')
  if (attribute(html, 'lang') === undefined || attribute(html, 'dir') === undefined) faults.push('no language')
  for (const tag of ['h1', 'main', 'title']) if (page.all(tag).length !== 1) faults.push(`not one ${tag}`)
  const ids = page.all().flatMap((element) => attribute(element, 'id') ?? [])
  if (new Set(ids).size < ids.length) faults.push('an id comes twice')
  const labelled = new Set(page.all('label').map((label) => attribute(label, 'for')))
  for (const input of [...page.all('input'), ...page.all('select')]) {
    const type = attribute(input, 'type')
    if (type !== 'hidden' && !labelled.has(attribute(input, 'id'))) faults.push('a field without a label')
    if (attribute(input, 'checked') !== undefined) faults.push('something is ticked beforehand')
  }
  for (const fieldset of page.all('fieldset')) if (page.all('legend', fieldset).length === 0) faults.push('no legend')
  for (const button of [...page.all('button'), ...page.all('a'), ...page.all('h1'), ...page.all('h2')]) {
    if (textOf(button).trim() === '') faults.push(`nothing to read on ${button.tagName}`)
  }
  for (const element of page.all()) faults.push(...inlineCode(element))
  for (const attr of ['aria-labelledby', 'for']) {
    for (const element of page.all()) {
      const target = attribute(element, attr)
      if (target !== undefined && page.byId(target) === undefined) faults.push(`${attr} leads to nothing`)
    }
  }
  const levels = page.all().flatMap(({ tagName }) => (/^h[1-6]$/.test(tagName) ? [Number(tagName[1])] : []))
  levels.forEach((level, index) => {
    if (index > 0 && level > (levels[index - 1] ?? 0) + 1) faults.push('a level of headings is left out')
  })
  return faults
}

function inlineCode(element: HtmlElement): string[] {
  const names = element.attrs.map(({ name }) => name).filter((name) => name === 'style' || name.startsWith('on'))
  const isInline = element.tagName === 'style' || (element.tagName === 'script' && textOf(element) !== '')
  return [...names, ...(isInline ? [element.tagName] : [])].map((what) => `inline ${what}`)
}

test('every page in every language has one heading, labels, legends, and nothing inline or ticked', async () => {
  await using scene = await openPeopleScene()
  for (const lang of ['en', 'de', 'fr', 'es', 'ar']) {
    for (const { page, path, text, headers } of await walk(scene, lang)) {
      // The form that comes back with faults may hold what the person ticked; here they ticked nothing.
      assert.deepEqual(faultsOf(page), [], `${lang} ${path}`)
      assert.equal(attribute(page.one('html'), 'lang'), lang)
      assert.equal(attribute(page.one('html'), 'dir'), lang === 'ar' ? 'rtl' : 'ltr')
      assert.doesNotMatch(text, /undefined|\[object|\{[a-z]+\}|&amp;(?:amp|lt|quot|#39);/, `${lang} ${path}`)
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
      assert.equal(headers.get('referrer-policy'), 'no-referrer')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  }
  assert.deepEqual(scene.errors, [])
})

test('granting, refusing and waiting are three buttons alike', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const { page } = await new Browser(scene).open(link)
  const { element } = page.form('/c/decide')
  const buttons = page.all('button', element)
  assert.deepEqual(
    buttons.map((button) => attribute(button, 'value')),
    ['grant', 'refuse', 'later'],
  )
  const others = buttons.map(({ attrs }) => attrs.filter(({ name }) => name !== 'value'))
  assert.deepEqual(others[1], others[0])
  assert.deepEqual(others[2], others[0])
})

test('a person reads every limit and burden of a grant in words', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene, { grants: everything })
  const { page } = await new Browser(scene).open(link)
  const words = page.text.replace(/\s+/g, ' ')
  const expected = [
    'at most 3 times in 1 day; at most 20 times in all',
    'height: rounded to multiples of 10',
    'Excluded in any case weight',
    'sport = judo',
    'until',
    'deleted after the consent ends (30 days)',
    'only to: did:web:firm.example',
    'Germany and Switzerland',
    'works without it',
    'Research and Development',
    'The request ends on 15 March 2026',
  ]
  assert.deepEqual(
    expected.filter((text) => text !== 'until' && !words.includes(text)),
    [],
  )
  const offered = page.all('label').map((label) => textOf(label).trim())
  assert.ok(offered.includes('height') && !offered.includes('weight'), 'what is excluded is not offered')
  const times = page.all('option').map((option) => textOf(option).trim())
  assert.deepEqual(times, ['Please choose', '1 day', '7 days', '30 days (as asked, the longest)'])
})

test('the language is chosen by a link and kept; without one the browser decides, and English is last', async () => {
  await using scene = await openPeopleScene()
  const { link } = await asked(scene)
  const langOf = ({ page }: Visit) => attribute(page.one('html'), 'lang')
  const browser = new Browser(scene, { 'accept-language': 'xx, de-AT;q=0.5, fr;q=0.4' })
  assert.equal(langOf(await browser.open(link)), 'de')
  assert.equal(langOf(await browser.open('/c?lang=ar')), 'ar')
  assert.equal(langOf(await browser.open('/c')), 'ar')
  assert.equal(langOf(await new Browser(scene, { 'accept-language': 'xx;q=9, "><script>' }).open(link)), 'en')
  const links = (await browser.open('/c')).page.all('a').filter((one) => attribute(one, 'hreflang') !== undefined)
  assert.deepEqual(
    links.map((one) => [attribute(one, 'hreflang'), attribute(one, 'lang'), attribute(one, 'aria-current') ?? '']),
    [
      ['en', 'en', ''],
      ['de', 'de', ''],
      ['fr', 'fr', ''],
      ['es', 'es', ''],
      ['ar', 'ar', 'true'],
    ],
  )
})

const hostile = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)' x='",
  '</textarea></title></style></script><svg onload=alert(1)>',
  '<bdi><h1>Refused</h1>',
  '{{constructor}} ${alert(1)} &lt;script&gt; &#60;b&#62;',
  'javascript:alert(1)',
  '<!-- --><base href=//evil.example>',
]

test('text of others is text, wherever it stands: no element, no attribute, no address comes of it', async () => {
  await using scene = await openPeopleScene()
  const shape = (page: HtmlPage): string =>
    page
      .all()
      .map(({ tagName, attrs }) => `${tagName}[${attrs.map(({ name }) => name).join()}]`)
      .join(' ')
  let expected: string[] = []
  for (const [index, text] of ['harmless', ...hostile].entries()) {
    const grants = [testGrant({ title: { en: text }, obligations: ['log'] })]
    const members = {
      subject: { reference: `person ${index}`, type: 'person' as const },
      grants,
      notice: { version: '1', text: { en: text } },
      recipient: { name: text, country: 'DE' },
    }
    const { link } = await asked(scene, members)
    const browser = new Browser(scene)
    const choice = await browser.open(link)
    assert.equal(choice.status, 200, text)
    const review = await browser.submit(choice, '/c/decide', ticks)
    const me = await browser.submit(review, '/c/confirm').then(() => browser.open('/me'))
    assert.ok(choice.page.text.includes(text) && me.page.text.includes(text), 'it can be read as it is')
    const seen = [choice, review, me].map(({ page }) => shape(page))
    if (index === 0) expected = seen
    // No text has an empty line, so that paragraphs are the same too.
    assert.deepEqual(seen, expected, text)
  }
})
