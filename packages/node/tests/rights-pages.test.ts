/** A person asks about their data on the holder's pages. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { rightsTypes } from '@comity/core/rights/rights-request'
import { rightsTexts } from '../src/people/texts/rights-texts.ts'
import { ask, browserAt, startConsentNetwork, until, type ConsentNetwork } from './consent-network.ts'
import { attribute, textOf } from './html-page.ts'
import { formOf, personAt, reportStore, requestAt, untilClosed, type Person } from './rights-person.ts'

describe('the pages', () => {
  let network: ConsentNetwork
  let person: Person
  before(async () => {
    network = await startConsentNetwork()
    person = await personAt(network)
  })
  after(() => network[Symbol.asyncDispose]())

  test('offer every right in five languages, each with a plain word on what it means', async () => {
    const overview = await person.browser.open('/me')
    assert.ok(overview.page.all('a').some((link) => attribute(link, 'href') === '/me/rights'))
    for (const tag of ['ar', 'de', 'fr', 'es', 'en']) {
      const { page, status } = await person.browser.open(`/me/rights?lang=${tag}`)
      const { title, right, none } = rightsTexts(tag)
      assert.deepEqual([status, textOf(page.one('h1')), attribute(page.one('html'), 'lang')], [200, title, tag])
      for (const [name, meaning] of Object.values(right)) {
        assert.ok(page.text.includes(name) && page.text.includes(meaning), `${tag} ${name}`)
      }
      assert.ok(page.text.includes(none))
    }
  })

  test('every input has a label, and an erasure is never asked for by a slip', async () => {
    const { browser } = person
    for (const type of rightsTypes) {
      const { page, status } = await browser.open(`/me/rights/ask/${type}`)
      assert.equal(status, 200)
      const labelled = page.all('label').map((label) => attribute(label, 'for'))
      const shown = [...page.all('input'), ...page.all('textarea'), ...page.all('select')]
      for (const input of shown.filter((one) => attribute(one, 'type') !== 'hidden'))
        assert.ok(labelled.includes(attribute(input, 'id')), `${type} ${attribute(input, 'name')}`)
      assert.ok(page.all('input').every((input) => attribute(input, 'checked') === undefined))
    }
    const form = await browser.open('/me/rights/ask/erase')
    const slip = await browser.submit(form, '/me/rights/ask/erase', [['message', 'oops']])
    assert.deepEqual([slip.status, slip.page.all('p').some((p) => attribute(p, 'role') === 'alert')], [422, true])
    const empty = await browser.submit(await browser.open('/me/rights/ask/rectify'), '/me/rights/ask/rectify')
    assert.equal(empty.status, 422)
    assert.deepEqual((await person.call('GET', '/rights/requests')).json, { requests: [] })
  })

  test('ask for a correction, show where it stands, hand over the answer', async () => {
    const { browser } = person
    const form = await browser.open('/me/rights/ask/rectify')
    const made = await browser.submit(form, '/me/rights/ask/rectify', [
      ['field-0', 'name'],
      ['value-0', '<b>Åmina</b>'],
      ['field-1', ''],
      ['value-1', ''],
      ['message', 'as in my passport'],
    ])
    assert.match(made.path, /^\/me\/rights\/[0-9a-f-]{36}$/)
    const id = made.path.split('/').at(-1) ?? ''
    const request = await requestAt(network, id)
    assert.deepEqual([request.corrections, request.message], [{ name: '<b>Åmina</b>' }, 'as in my passport'])
    assert.match(made.page.text, /athletes: not answered yet/)
    await reportStore(network, id, { product: 'athletes', state: 'refused', ground: '<i>passport</i> needed' })
    const closed = await untilClosed(network, id)
    assert.equal(closed.status, 'denied')
    const shown = await browser.open(made.path)
    assert.match(shown.page.text, /athletes: not done \(<i>passport<\/i> needed\)/)
    const link = shown.page.all('a').find((one) => attribute(one, 'href')?.endsWith('/bundle'))
    const answer = await person.call('GET', attribute(link ?? shown.page.one('html'), 'href') ?? '')
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment/)
    assert.equal(answer.json['comity'], 'rights-bundle')
    const listed = await browser.open('/me/rights')
    assert.ok(listed.page.all('dd').some((one) => attribute(one, 'data-status') === 'denied'))
  })

  test('take a request back with one click, of this session only', async () => {
    const { browser } = person
    const made = await browser.submit(await browser.open('/me/rights/ask/port'), '/me/rights/ask/port')
    const action = `${made.path}/revoke`
    const foreign = await browser.post(action, [['form', 'x'.repeat(43)]])
    assert.equal(foreign.status, 403)
    const back = await browser.submit(made, action)
    assert.deepEqual(
      [back.path, back.page.all('dd')[0] && textOf(back.page.all('dd')[0] as never).trim()],
      [made.path, 'taken back'],
    )
  })

  test('a link for one decision opens no rights, and without a session there are none', async () => {
    const { link } = await ask(network)
    const decider = browserAt(network)
    await decider.open(link)
    const { form } = JSON.parse((await decider.open('/v1/me')).text) as { form: string }
    for (const path of ['/me/rights', '/me/rights/ask/erase']) {
      assert.equal((await browserAt(network).open(path)).status, 401)
      for (const tag of ['ar', 'de', 'fr', 'es', 'en']) {
        const { status, page } = await decider.open(`${path}?lang=${tag}`)
        const said = rightsTexts(tag).otherLink.split('{holder}')[0] ?? ''
        assert.ok(status === 403 && said !== '' && page.text.includes(said), `${tag} ${path}`)
        assert.ok(page.all('a').some((one) => attribute(one, 'href') === '/me'))
      }
    }
    const sent = await decider.post('/me/rights/ask/erase', [
      ['form', form],
      ['sure', 'yes'],
    ])
    assert.equal(sent.status, 403)
    assert.match((await decider.open('/rights/requests')).text, /session-required.*link to all/)
  })

  test('of two equal requests at once one is open, and the holder`s systems are told once', async () => {
    const headers = await formOf(person.call)
    const post = (body: object) => person.call('POST', '/rights/requests', { body, headers })
    const asked = await Promise.all([post({ type: 'access' }), post({ type: 'access' })])
    assert.deepEqual(
      asked.map(({ status }) => status),
      [202, 202],
    )
    const [{ json: first }, { json: second }] = asked as [(typeof asked)[0], (typeof asked)[0]]
    assert.equal(first['id'], second['id'])
    const scoped = await post({ type: 'access', scope: { products: ['athletes'] } })
    const said = await post({ type: 'access', message: 'all of it' })
    assert.equal(new Set([first, scoped.json, said.json].map(({ id }) => id)).size, 3, 'another scope, other words')
    assert.equal((await post({ type: 'access', scope: { products: ['athletes'] } })).json['id'], scoped.json['id'])
    const { heard } = network.systems.holder
    const told = () => heard.filter(({ type }) => type === 'rights.requested').map(({ data }) => data['request'])
    await until('the last', () => told().includes(said.json['id']))
    assert.equal(told().filter((id) => id === first['id']).length, 1)
    for (const { id } of [first, scoped.json, said.json]) {
      assert.equal((await person.call('DELETE', `/rights/requests/${String(id)}`, { headers })).status, 200)
    }
    const again = await person.ask({ type: 'access' })
    assert.notEqual(again, first['id'])
    await person.call('DELETE', `/rights/requests/${again}`, { headers })
  })

  test('a person cannot pile up requests', async () => {
    for (let count = 0; count < 20; count += 1) await person.ask({ type: 'access', message: `no. ${count}` })
    const more = await person.call('POST', '/rights/requests', {
      body: { type: 'access', message: 'one more' },
      headers: await formOf(person.call),
    })
    assert.deepEqual([more.status, more.json['code']], [409, 'rights-request-state'])
  })
})
