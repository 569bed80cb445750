/** The doctor on a node that offers products about people and tells its own systems. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WebhookView } from '../src/admin/admin-api.ts'
import { loadConfig, type Config } from '../src/config/config.ts'
import { examine } from '../src/doctor/doctor.ts'
import type { RunningFacts, WebhookFacts } from '../src/doctor/doctor-options.ts'
import type { Finding } from '../src/doctor/finding.ts'
import { shownAddress } from '../src/webhooks/shown-address.ts'
import { decideOutbox } from '../src/doctor/webhook-check.ts'
import { grantOf, operate, plainNotice, startConsentNetwork, until, type ConsentNetwork } from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'

describe('the doctor of a node with products about people', () => {
  let network: ConsentNetwork
  let config: Config
  before(async () => {
    network = await startConsentNetwork()
    config = await loadConfig(network.holder.configFile, {})
  })
  after(() => network[Symbol.asyncDispose]())

  const running = (webhooks: readonly WebhookFacts[] = []): RunningFacts => ({
    ports: network.holder.running.ports,
    partners: [],
    addedProducts: 0,
    personalProducts: ['athletes', 'results'],
    webhooks,
  })
  async function look(changed: Partial<Config>, facts?: RunningFacts): Promise<Map<string, Finding[]>> {
    const clock = network.clock
    const findings = await examine({
      config: { ...config, ...changed },
      environment: {},
      clock,
      randomBytes,
      running: facts,
    })
    return Map.groupBy(findings, ({ check }) => check)
  }
  const outcomes = (found: Map<string, Finding[]>, check: string) => found.get(check)?.map(({ outcome }) => outcome)
  const webhook = () => `webhook ${shownAddress(network.systems.holder.url).replace('http://', '')}`

  test('is silent about one where people can be asked', async () => {
    const found = await look({}, running())
    for (const check of ['people', 'people pages', 'vault', webhook()]) {
      assert.deepEqual(outcomes(found, check), ['good'], check)
    }
  })

  test('names a number that stands open beside rows', async () => {
    const found = await look({}, running())
    assert.deepEqual(outcomes(found, 'product athletes'), ['good'])
    const [, open] = found.get('product results') ?? []
    assert.equal(open?.outcome, 'caution')
    assert.match(open?.detail ?? '', /^`total` of `results` is open: a number/)
  })

  test('tells that there is no page to decide on, and nobody who is told whom to ask', async () => {
    const { people: _, ...listen } = config.listen
    const [first] = config.webhooks
    assert.ok(first)
    const found = await look({ listen, webhooks: [{ ...first, events: ['duty.owed'] }] }, running())
    assert.deepEqual(outcomes(found, 'people pages'), ['caution'])
    assert.deepEqual(outcomes(found, 'people webhook'), ['caution'])
    assert.match(found.get('people webhook')?.[0]?.remedy ?? '', /consent\.requested/)
    assert.equal(found.has('people'), false)
  })

  test('says nothing of people where no product is about them', async () => {
    const { people: _, ...listen } = config.listen
    const products = config.products.filter((product) => product.class !== 'personal')
    const found = await look({ listen, products, webhooks: [] }, { ...running(), personalProducts: [] })
    for (const check of ['people', 'people pages', 'people webhook', 'vault', webhook()]) {
      assert.equal(found.has(check), false, check)
    }
  })

  test('tells pages that nobody reaches', async () => {
    const { people } = config.listen
    assert.ok(people)
    const moved = { ...config.listen, people: { ...people, url: 'http://localhost:9' } }
    assert.deepEqual(outcomes(await look({ listen: moved }, running()), 'people pages'), ['bad'])
  })

  test('tells a system that is away, and a secret that is none', async () => {
    const [first] = config.webhooks
    assert.ok(first)
    const file = join(network.holder.directory, 'no-secret')
    await writeFile(file, 'whsec_!!', { mode: 0o600 })
    const found = await look({ webhooks: [{ ...first, url: 'http://127.0.0.1:9/hooks', secret: { file } }] }, running())
    assert.deepEqual(outcomes(found, 'webhook 127.0.0.1:9/hooks'), ['bad', 'bad'])
  })

  test('tells what waits too long for a system, and what was given up', () => {
    const [nowMs, oldest] = [Date.parse('2026-03-01T10:00:00Z'), '2026-03-01T09:50:00Z']
    const facts = {
      endpoint: 'https://portal.example',
      waiting: 2,
      oldest,
      lastError: 'status 401',
      dead: 3,
      givenUp: 1,
    }
    const [late, dead, lost, ...others] = decideOutbox('webhook portal.example', facts, nowMs)
    assert.match(
      late?.detail ?? '',
      /^2 messages wait, the oldest since 2026-03-01T09:50:00Z; the last try: status 401$/,
    )
    assert.match(dead?.detail ?? '', /^3 dead letters/)
    assert.match(lost?.detail ?? '', /^1 message was given up/)
    assert.deepEqual(others, [])
    const fresh = { ...facts, oldest: '2026-03-01T09:59:00Z', dead: 0, givenUp: 0 }
    assert.deepEqual(decideOutbox('webhook portal.example', fresh, nowMs), [])
  })

  test('tells what clients do not take, by the client’s name, and what to do about it', async () => {
    const facts = { endpoint: 'https://hooks.example', client: 'billing', waiting: 0, dead: 0, givenUp: 0 }
    const oldest = new Date(network.clock.now() - 600_000).toISOString()
    const late = { ...facts, client: 'slow', waiting: 1, oldest, lastError: 'status 503', dead: 2 }
    const [first] = config.webhooks
    assert.ok(first)
    const sameHost = { ...first, url: 'https://hooks.example/ours' }
    const found = await look({ webhooks: [sameHost] }, running([facts, late]))
    assert.deepEqual(outcomes(found, 'webhook of billing'), ['good'])
    const ofSlow = found.get('webhook of slow') ?? []
    assert.deepEqual(
      ofSlow.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['caution', `https://hooks.example: 1 message waits, the oldest since ${oldest}; the last try: status 503`],
        ['caution', 'https://hooks.example: 2 dead letters'],
      ],
    )
    for (const { remedy } of ofSlow) assert.match(remedy ?? '', /comity clients show slow/)
    const ofOwn = found.get('webhook hooks.example/ours')
    assert.ok(ofOwn !== undefined)
    assert.doesNotMatch(JSON.stringify(ofOwn), /dead letter/, 'it is no own system that does not take them')
  })

  test('the operator reads what waits for a system, without the query of its address', async () => {
    const { holder } = network.systems
    await holder[Symbol.asyncDispose]()
    await operate(network.recipient, '/v1/held-consents', {
      partner: 'holder',
      reference: athleteReference,
      duration: 'P30D',
      notice: plainNotice,
      recipient: { name: 'Sports Lab' },
      grants: [grantOf({})],
    })
    const [told] = await until('what waits', async () => {
      const views = await operate<WebhookView[]>(network.holder, '/v1/webhooks')
      return views[0]?.lastError !== undefined && views
    })
    const { oldest, lastError, ...rest } = told ?? assert.fail()
    assert.deepEqual(rest, { endpoint: shownAddress(holder.url), waiting: 1, dead: 0, givenUp: 0 })
    assert.ok(oldest !== undefined && Number.isFinite(Date.parse(oldest)))
    assert.match(lastError ?? '', /request failed|unreachable/)
  })

  test('of a node that does not run, tells whether its key file opens what it keeps of people', async () => {
    await network.holder.stop()
    await network.recipient.stop()
    assert.deepEqual(outcomes(await look({}), 'vault'), ['good'])
    const { storage } = await loadConfig(network.recipient.configFile, {})
    const found = await look({ storage })
    assert.deepEqual(outcomes(found, 'vault'), ['bad'])
    assert.match(found.get('vault')?.[0]?.remedy ?? '', /same node/)
  })
})
