/** Streamed answers about a person: the consent is used before the first row leaves, and looked at again while they do. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { parseExchangeEvent, type ExchangeEvent } from '@comity/core/exchange/event'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { until } from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { consentsOf, grantAll, requestOf, startPersonalNetwork, type PersonalNetwork } from './personal-network.ts'
import { open, read } from './stream-network.ts'
import type { TestNode } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
const personal = {
  subject: { in: 'path', name: 'id' },
  rows: 'items[]',
  operations: { results: { date: 'day', open: ['total'], stream: true } },
  domains: { 'sport.results': ['event', 'day', 'rank'], 'sport.medals': ['medal'] },
}
const bySubject = { by: 'subject', actorId: 'the athlete', method: 'page' } as const

let network: PersonalNetwork
let subject: string
before(async () => {
  network = await startPersonalNetwork({ results: { personal } })
  subject = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
})
after(() => network[Symbol.asyncDispose]())

/** A consent to the athlete's results, held by the recipient. */
async function consented(): Promise<string> {
  const { consents } = network.recipient.running.parts.consent.held
  const fields = { include: ['event', 'day'] }
  const request = requestOf({ grants: [{ products: ['results'], domains: ['sport.results'], fields }] })
  const { id } = await consents.ask({ partner: 'holder', request })
  await grantAll(network, id, request)
  await consents.refresh(id)
  return id
}

const target = () => network.recipient.local(`/holder/results/athletes/${subject}/results`)
const headers = (consent: string) => ({ 'comity-purpose': research, 'comity-consent': consent })

/** Events about the athlete in a node's log, those of one consent. */
async function events(node: TestNode, consent: string): Promise<ExchangeEvent[]> {
  const { auditLog, foundation } = node.running.parts
  const person = node === network.holder ? athleteReference : subject
  const found = await auditLog.readEvents({ subject: foundation.vault.handleOf(person), limit: 1_000 })
  const exchanges = found.filter(({ body }) => body?.startsWith('{"type":"exchange"'))
  return exchanges.map(({ body }) => parseExchangeEvent(body ?? '')).filter((event) => event.consent?.id === consent)
}

async function uses(consent: string): Promise<number> {
  const { database } = network.holder.running.parts.foundation
  return (await database.all('SELECT * FROM consent_uses WHERE consent = ?', [consent])).length
}

/** An API that writes a row every few milliseconds until it is stopped. */
function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"total":9,"items":[{"event":"a","rank":1}')
  const timer = setInterval(() => response.write(',{"event":"b","day":"2026-10-01","rank":2}'), 20)
  response.once('close', () => clearInterval(timer))
}

test('of each row leaves what the consent releases, and the receipt says so at the end', async () => {
  const consent = await consented()
  const answer = await read(network, target(), headers(consent))
  assert.deepEqual(JSON.parse(answer.text), {
    items: [
      { event: 'skiff', day: '2026-10-01' },
      { event: 'eight', day: '2026-11-10' },
    ],
    total: 3,
  })
  const { claims } = parseReceipt(answer.trailers['comity-receipt'] ?? '')
  assert.deepEqual([claims.con?.id, claims.rel, claims.wit], [consent, ['event', 'day'], ['rank']])
  assert.equal(answer.headers['comity-fields-withheld'], '"rank"')
  assert.equal(await uses(consent), 1)
  const [intended, outcome] = await events(network.holder, consent)
  assert.deepEqual([intended?.outcome, outcome?.outcome, outcome?.streamed?.rows], ['intended', 'allowed', 2])
})

test('a withdrawal cuts the stream within seconds; what had left counts as a use', async () => {
  const consent = await consented()
  network.api.behave = endless
  const answer = await open(network, target(), headers(consent))
  assert.match((await answer.next()) ?? '', /^\{"total":9,"items":\[\{"event":"a"\}/)
  assert.equal(await uses(consent), 1)
  await consentsOf(network.holder).withdraw(consent, bySubject)
  const withdrawnMs = performance.now()
  const rest = await answer.rest()
  network.api.behave = undefined
  assert.equal(rest.isWhole, false)
  // What is never cut is written for longer than a test may take.
  assert.ok(performance.now() - withdrawnMs < 30_000)
  const cut = await until('the end in the log', async () => (await events(network.holder, consent))[1])
  assert.deepEqual([cut?.outcome, cut?.problem], ['failed', 'consent-inactive'])
  assert.ok((cut?.streamed?.rows ?? 0) > 0)
  assert.deepEqual(cut?.released, ['event', 'day'])
  assert.equal(await uses(consent), 1)
})

test('a consent that ends before the first row leaves is a refusal like every other, and no use', async () => {
  const consent = await consented()
  network.api.behave = (response) => {
    void consentsOf(network.holder)
      .withdraw(consent, bySubject)
      .then(() => endless(response))
  }
  const answer = await read(network, target(), headers(consent))
  network.api.behave = undefined
  assert.ok(answer.isWhole)
  assert.equal(answer.status, 403)
  assert.match((JSON.parse(answer.text) as { code: string }).code, /^consent-/)
  assert.equal(await uses(consent), 0)
})
