/** The doctor on real nodes: silent about what is well, precise about what is not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadConfig, type Config } from '../src/config/config.ts'
import { checkAgreements } from '../src/doctor/agreement-check.ts'
import { examine } from '../src/doctor/doctor.ts'
import type { RunningFacts } from '../src/doctor/doctor-options.ts'
import type { Finding } from '../src/doctor/finding.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

describe('the doctor', () => {
  let network: TestNetwork
  let config: Config
  before(async () => {
    network = await startTestNetwork()
    config = await loadConfig(network.holder.configFile, {})
  })
  after(() => network[Symbol.asyncDispose]())

  /** What the running node would say of itself. */
  const running = (changes: { readonly fingerprint?: string; readonly url?: string } = {}): RunningFacts => {
    const { recipient } = network
    const { fingerprint = recipient.fingerprint, url = recipient.url } = changes
    return {
      ports: network.holder.running.ports,
      partners: [
        { alias: 'recipient', did: recipient.did, url, fingerprints: fingerprint === '' ? [] : [fingerprint] },
      ],
      addedProducts: 0,
    }
  }

  const ask = async (facts: RunningFacts | undefined, changed: Config = config): Promise<Map<string, Finding>> => {
    const findings = await examine({
      config: changed,
      environment: {},
      clock: network.clock,
      randomBytes,
      running: facts,
    })
    return new Map(findings.map((finding) => [finding.check, finding]))
  }
  const outcome = (found: Map<string, Finding>, check: string) => found.get(check)?.outcome

  test('finds nothing wrong with a healthy node and its partner', async () => {
    const found = await ask(running())
    const wrong = [...found.values()].filter((finding) => finding.outcome !== 'good')
    assert.deepEqual(wrong, [])
    assert.match(found.get('did')?.detail ?? '', /resolves to this node's keys; partners need the fingerprint/)
    assert.match(found.get('partner recipient')?.detail ?? '', /trusted by its fingerprint/)
    assert.match(found.get('clock')?.detail ?? '', /agrees with that of `recipient`/)
    for (const check of ['keys', 'tls', 'tls key', 'product items', 'upstream items', 'storage lock']) {
      assert.equal(outcome(found, check), 'good', check)
    }
  })

  test('does not trust a partner with another key, nor one that nobody vouches for', async () => {
    const other = network.holder.fingerprint
    assert.equal(outcome(await ask(running({ fingerprint: other })), 'partner recipient'), 'bad')
    const unpinned = (await ask(running({ fingerprint: '' }))).get('partner recipient')
    assert.equal(unpinned?.outcome, 'bad')
    assert.match(unpinned?.remedy ?? '', /comity partners remove/)
  })

  test('tells a partner that does not answer, and that the clock was compared with nobody', async () => {
    const found = await ask(running({ url: 'https://localhost:9' }))
    assert.equal(outcome(found, 'partner recipient'), 'bad')
    assert.equal(outcome(found, 'clock'), 'caution')
  })

  test('tells a clock that is wrong', async () => {
    network.clock.offsetMs = 120_000
    const { outcome: verdict, detail } = (await ask(running())).get('clock') ?? {}
    network.clock.offsetMs = 0
    // Both nodes and the doctor share the test's clock; `Date` is written by Node itself.
    assert.equal(verdict, 'bad')
    assert.match(detail ?? '', /about 2 min ahead/)
  })

  test('says which private network is in the way', async () => {
    const closed = { ...config, network: { ...config.network, allowPrivateAddresses: [] } }
    const found = await ask(running(), closed)
    assert.equal(outcome(found, 'did'), 'caution')
    assert.match(found.get('partner recipient')?.remedy ?? '', /allowPrivateAddresses/)
  })

  test('tells keys that stay locked, and leaves out what needs them', async () => {
    const keyFile = join(network.holder.directory, 'wrong-key-file')
    await writeFile(keyFile, randomBytes(32), { mode: 0o600 })
    const found = await ask(running(), { ...config, keys: { ...config.keys, keyFile } })
    assert.equal(outcome(found, 'keys'), 'bad')
    assert.deepEqual([found.has('tls'), found.has('did')], [false, false])
  })

  test('tells a document that another node publishes in this one’s place', async () => {
    const { recipient } = network
    const participant = { ...config.participant, did: recipient.did }
    const found = await ask(running(), { ...config, participant })
    // The holder's fingerprint is not that of whoever answers there.
    assert.equal(outcome(found, 'did'), 'bad')
  })

  test('tells a product whose document or API is broken', async () => {
    const broken = join(network.holder.directory, 'broken.json')
    await writeFile(broken, '{"openapi":"3.1.0","info":{"title":"a","version":"1"},"paths":{}}')
    const [first, ...others] = config.products
    assert.ok(first)
    const products = [{ ...first, openapi: broken, upstream: 'http://127.0.0.1:9' }, ...others]
    const found = await ask(running(), { ...config, products })
    assert.deepEqual([outcome(found, 'product items'), outcome(found, 'upstream items')], ['bad', 'bad'])
    assert.equal(outcome(found, 'upstream open-items'), 'good')
  })

  test('names each two agreements that cover the same calls, once, and how to choose', async () => {
    const [agreement, other, products] = ['urn:uuid:1', 'urn:uuid:2', ['items']]
    const overlaps = [
      { agreement, other, products },
      { agreement: other, other: agreement, products },
    ]
    const { outcome: verdict, detail, remedy } = (await ask({ ...running(), overlaps })).get('agreements') ?? {}
    assert.equal(verdict, 'caution')
    assert.match(detail ?? '', /`urn:uuid:1` and `urn:uuid:2` cover the same calls of `items`/)
    assert.match(remedy ?? '', /Comity-Agreement/)
    assert.equal(checkAgreements({ overlaps }).length, 1)
  })

  test('without the running node takes the partners of the configuration', async () => {
    const { alias, did, url, fingerprints } = running().partners[0] ?? assert.fail()
    const partner = { alias, did, url, fingerprints: [...fingerprints], requireClientCertificate: false }
    const found = await ask(undefined, { ...config, partners: [partner] })
    assert.equal(outcome(found, 'partner recipient'), 'good')
    assert.equal(outcome(found, 'storage lock'), 'bad', 'somebody has the data and does not say who it is')
    assert.equal(outcome(found, 'port public'), 'bad')
  })
})
