/** Versions of a product side by side: how a call names one, what the answers say of its end, and what does not change. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createComityClient } from '../../client/src/client.ts'
import type { ExchangeEvent } from '@comity/core/exchange/event'
import { adminOf } from './admin-call.ts'
import { loggedExchange } from './signed-call.ts'
import {
  call as personalCall,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const day = 24 * 3_600_000
const at = (offsetMs: number) => new Date(Math.floor((Date.now() + offsetMs) / 1_000) * 1_000)
const deprecated = at(-day)
const sunset = at(day)

type Entry = Record<string, unknown>

describe('two versions of a product', () => {
  let network: TestNetwork
  let agreement: string
  before(async () => {
    network = await startTestNetwork({
      holder(config) {
        const [items = {}, open = {}] = config['products'] as Entry[]
        config['products'] = [
          { ...items, version: '1.0', deprecated: deprecated.toISOString(), sunset: sunset.toISOString() },
          { ...items, version: '2.0', limits: { rate: { requests: 50, perSeconds: 1 } } },
          { ...open, deprecated: deprecated.toISOString(), successor: 'items' },
        ]
      },
    })
    agreement = await network.agree({ products: ['items', 'open-items'] })
  })
  beforeEach(() => {
    network.clock.offsetMs = 0
    network.upstream.behave = undefined
  })
  after(() => network[Symbol.asyncDispose]())

  const call = (path: string) =>
    fetch(network.recipient.local(`/holder/${path}`), { headers: { 'comity-purpose': testPurpose } })
  const logged = async (answer: Response): Promise<ExchangeEvent | undefined> =>
    loggedExchange(network.recipient, answer.headers.get('comity-exchange') ?? '')

  test('without a version the current one answers, and says nothing of an end', async () => {
    const answer = await call('items/items/1')
    assert.equal(answer.status, 200)
    assert.deepEqual(
      ['deprecation', 'sunset', 'link'].map((name) => answer.headers.get(name)),
      [null, null, null],
    )
    const event = await logged(answer)
    assert.deepEqual([event?.product, event?.version, event?.agreement], ['items', '2.0', agreement])
  })

  test('a named version answers under the same agreement; record and receipt say which', async () => {
    for (const address of ['items@1.0', 'items%401.0']) {
      const answer = await call(`${address}/items/1`)
      assert.equal(answer.status, 200, await answer.text())
      const event = await logged(answer)
      assert.deepEqual([event?.product, event?.version, event?.agreement], ['items', '1.0', agreement])
    }
    const current = await call('items@2.0/items/1')
    assert.deepEqual([current.status, (await logged(current))?.version], [200, '2.0'])
    assert.equal(current.headers.get('deprecation'), null)
  })

  test('the application reads since when a version is deprecated, until when it is answered, and what follows', async () => {
    const answer = await call('items@1.0/items/1')
    assert.equal(answer.headers.get('deprecation'), `@${deprecated.getTime() / 1_000}`)
    assert.equal(answer.headers.get('sunset'), sunset.toUTCString())
    assert.equal(answer.headers.get('link'), `<${network.holder.url}/x/items@2.0>; rel="successor-version"`)
  })

  test('refusals of the version say so too, and what the API says of its own end does not count', async () => {
    const refused = await call('items@1.0/nowhere')
    assert.deepEqual([refused.status, refused.headers.get('sunset')], [404, sunset.toUTCString()])
    network.upstream.behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', deprecation: '@1', link: '</next>; rel="next"' })
      response.end('{"id":1,"name":"item 1"}')
    }
    const answer = await call('items@1.0/items/1')
    assert.equal(answer.headers.get('deprecation'), `@${deprecated.getTime() / 1_000}`)
    assert.match(answer.headers.get('link') ?? '', /^<\/next>; rel="next", <https:.*successor-version"$/)
  })

  test('the successor may be another product', async () => {
    const answer = await call('open-items/items/1')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('deprecation'), `@${deprecated.getTime() / 1_000}`)
    assert.equal(answer.headers.get('link'), `<${network.holder.url}/x/items>; rel="successor-version"`)
  })

  test('a version that is not there is no product', async () => {
    const answer = await call('items@3.0/items/1')
    assert.deepEqual([answer.status, ((await answer.json()) as Entry)['code']], [404, 'not-found'])
  })

  test('each version has its own rate', async () => {
    const policy = async (path: string) => (await call(path)).headers.get('ratelimit-policy')
    assert.match((await policy('items/items/1')) ?? '', /q=50/)
    assert.match((await policy('items@1.0/items/1')) ?? '', /q=100000/)
  })

  test('a part of a composite names a version likewise', async () => {
    const parts = Object.fromEntries(
      ['items@1.0', 'items'].map((product, index) => [
        `p${index}`,
        { partner: 'holder', product, path: '/items/1', purpose: testPurpose },
      ]),
    )
    const answer = await fetch(network.recipient.local('/~composite'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ parts }),
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    const told = JSON.parse(text) as { parts: Record<string, { status: number }> }
    assert.deepEqual([told.parts['p0']?.status, told.parts['p1']?.status], [200, 200])
  })

  test('an application with the SDK reads the end of the version, and is told of it once', async () => {
    const told: unknown[] = []
    const client = createComityClient({
      node: network.recipient.local(''),
      purpose: testPurpose,
      onVersionEnd: ({ product, successor }) => void told.push([product, successor]),
    })
    const old = client.product('holder', 'items@1.0')
    const { versionEnd } = await old.get('/items/1')
    await old.get('/items/1')
    const successor = `${network.holder.url}/x/items@2.0`
    assert.deepEqual(versionEnd, { deprecated, sunset, successor })
    assert.deepEqual(told, [['items@1.0', successor]])
    assert.equal((await client.product('holder', 'items').get('/items/1')).versionEnd, undefined)
  })

  test('the admin API lists both', async () => {
    const { json } = await (await adminOf(network.holder)).call({ path: '/v1/products' })
    const listed = (json as Entry[]).map(({ id, version, sunset: end }) => [id, version, end])
    assert.deepEqual(listed.slice(0, 2), [
      ['items', '1.0', sunset.toISOString()],
      ['items', '2.0', undefined],
    ])
  })

  test('from the sunset on the version is refused, with the name of the next; the next is not', async () => {
    network.clock.offsetMs = sunset.getTime() - Date.now() + 5
    const answer = await call('items@1.0/items/1')
    const problem = (await answer.json()) as Entry
    assert.deepEqual(
      [answer.status, problem['code'], problem['successor']],
      [410, 'product-version-ended', 'items@2.0'],
    )
    assert.match(answer.headers.get('link') ?? '', /\/x\/items@2\.0>/)
    assert.equal((await call('items/items/1')).status, 200)
  })
})

describe('two versions of a product about people', () => {
  let network: PersonalNetwork
  let consent: string
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork({}, (products) => {
      const athletes = products.find(({ id }) => id === 'athletes') ?? {}
      const end = { deprecated: deprecated.toISOString(), sunset: sunset.toISOString() }
      return [...products, { ...structuredClone(athletes), version: '0.9', ...end }]
    })
    consent = await giveConsent(network)
    authorization = await tokenFor(network, consent)
  })
  after(() => network[Symbol.asyncDispose]())

  test('a consent to the product holds for each of them, and the receipt says which it was', async () => {
    for (const [address, version] of [
      ['athletes', '1.0.0'],
      ['athletes@0.9', '0.9'],
    ] as const) {
      const path = `/x/${address}/athletes/${athleteReference}`
      const answer = await personalCall(network, { path, authorization })
      assert.equal(answer.status, 200, answer.body.toString())
      assert.deepEqual(jsonOf(answer), { height: 181, weight: 74 })
      const event = await loggedExchange(network.holder, answer.headers.get('comity-exchange') ?? '')
      assert.deepEqual([event?.product, event?.version, event?.consent?.id], ['athletes', version, consent])
    }
  })
})
