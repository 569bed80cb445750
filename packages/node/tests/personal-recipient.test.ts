/** Calls about people as the recipient's own application makes them: the token is attached, the answer bound to the
 *  consent, and what the recipient keeps of it is sealed under a key of its own for that person. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { sendRequest } from '../src/gateway/send-request.ts'
import { linkOf } from '../src/assembly/counterparts.ts'
import { athleteReference } from './personal-upstream.ts'
import {
  giveConsent,
  grantAll,
  requestOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { testPurpose } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'

describe('a recipient`s application reads about a person', () => {
  let network: PersonalNetwork
  let consent: string
  let subject: string
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
    const { consents } = network.recipient.running.parts.consent.held
    const request = requestOf({})
    const asked = await consents.ask({ partner: 'holder', request })
    consent = asked.id
    await grantAll(network, consent, request)
    await consents.refresh(consent)
    subject = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
  })
  after(() => network[Symbol.asyncDispose]())

  const read = (path: string, headers: Record<string, string> = {}) =>
    fetch(network.recipient.local(path), { headers: { 'comity-purpose': research, ...headers } })

  test('under the consent that it names, and is told what was withheld', async () => {
    const answer = await read(`/holder/athletes/athletes/${subject}`, { 'comity-consent': consent })
    assert.deepEqual(await answer.json(), { height: 181, weight: 74 })
    assert.equal(answer.headers.get('comity-fields-withheld'), '"name", "born", "note"')
  })

  test('and both sides keep the same story, sealed, and provable to a stranger', async () => {
    const answer = await read(`/holder/athletes/athletes/${subject}`)
    assert.equal(answer.status, 200)
    const id = answer.headers.get('comity-exchange') ?? ''
    const { foundation, auditLog, exportEvidence } = network.recipient.running.parts
    const { database, vault } = foundation
    const row = await database.get('SELECT * FROM exchanges WHERE id = ?', [id])
    for (const column of ['request_base', 'response_base']) assert.match(String(row?.[column]), /^sealed:/)
    const [kept] = await database.all('SELECT body FROM log_entries WHERE id = ?', [id])
    assert.match(String(kept?.['body']), /^sealed:/)
    const [event] = (await auditLog.readEvents({ subject: vault.handleOf(subject) })).slice(-1)
    const facts = parseExchangeEvent(event?.body ?? '')
    assert.deepEqual([facts.role, facts.consent?.id, facts.released], ['recipient', consent, ['height', 'weight']])
    assert.deepEqual(facts.withheld, ['name', 'born', 'note'])
    const { evidence } = await exportEvidence(id)
    const report = verifyEvidence(evidence)
    assert.ok(report.ok, JSON.stringify(report.checks))
    assert.equal(report.claims?.con?.id, consent)
  })

  test('nothing of the person stands in clear in what the recipient keeps', async () => {
    const { database } = network.recipient.running.parts.foundation
    for (const table of ['exchanges', 'log_entries', 'intents']) {
      const rows = JSON.stringify(await database.all(`SELECT * FROM ${table}`))
      assert.ok(!rows.includes(subject), table)
      assert.ok(!rows.includes(athleteReference), table)
    }
  })

  test('an answer to a call with a token that names no consent counts for nothing', async () => {
    const { foundation, counterparts } = network.recipient.running.parts
    const { identity, world } = foundation
    const { resolver, client, partners } = counterparts
    const authorization = await tokenFor(network, await giveConsent(network))
    const partner = partners.find('holder')
    assert.ok(partner)
    const sent = await sendRequest(
      {
        partner: linkOf(partner),
        method: 'GET',
        path: '/x/items/items/7',
        query: '?',
        headers: new Map([
          ['comity-purpose', testPurpose],
          ['authorization', authorization],
        ]),
        body: new Uint8Array(0),
        agreementId: undefined,
        deadlineMs: world.clock.now() + 5_000,
      },
      {
        world,
        carrier: client,
        sleep: (ms) => sleep(ms),
        identity: {
          did: identity.did,
          authenticationKey: () => identity.authenticationKey(),
          assertionKey: () => identity.assertionKey(),
          peek: (keyid, purpose) => resolver.peek(keyid, purpose),
          resolveKey: (keyid, purpose, atMs) => resolver.resolveKey(keyid, purpose, atMs),
          tlsFingerprints: async () => [],
        },
      },
    )
    assert.deepEqual([sent.answer?.status, sent.problem?.code], [200, 'answer-unbound'])
  })
})
