/** Calls about people as the recipient's own application makes them: the token is attached, the answer bound to the
 *  consent, and what the recipient keeps of it is sealed under a key of its own for that person. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { createIntentStore } from '../src/gateway/intent-store.ts'
import { createExchangeRecorder } from '../src/gateway/record-exchange.ts'
import { sendRequest } from '../src/gateway/outbound/send-request.ts'
import { openSealing } from '../src/assembly/sealing.ts'
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

  test('that is refused before anybody looks for a consent leaves its path under a key, and proof all the same', async () => {
    const answer = await read('/holder/athletes/athletes/Amina-Rossi')
    assert.equal(answer.status, 400)
    const id = answer.headers.get('comity-exchange') ?? ''
    const { foundation, exportEvidence } = network.recipient.running.parts
    const row = await foundation.database.get('SELECT * FROM exchanges WHERE id = ?', [id])
    for (const column of ['request_base', 'response_base']) assert.match(String(row?.[column]), /^sealed:/)
    for (const table of ['exchanges', 'log_entries']) {
      const rows = JSON.stringify(await foundation.database.all(`SELECT * FROM ${table}`))
      assert.ok(!rows.includes('Amina-Rossi'), table)
    }
    const { evidence } = await exportEvidence(id)
    assert.ok(verifyEvidence(evidence).ok)
    assert.match(JSON.stringify(evidence), /Amina-Rossi/)
  })

  test('nothing of the person stands in clear in what the recipient keeps', async () => {
    const { database } = network.recipient.running.parts.foundation
    for (const table of ['exchanges', 'log_entries', 'intents']) {
      const rows = JSON.stringify(await database.all(`SELECT * FROM ${table}`))
      assert.ok(!rows.includes(subject), table)
      assert.ok(!rows.includes(athleteReference), table)
    }
  })

  /** A call as the gateway sends it, with nothing attached. */
  async function sendBare(path: string, headers: ReadonlyMap<string, string>) {
    const { foundation, counterparts } = network.recipient.running.parts
    const { identity, world } = foundation
    const { resolver, client, partners } = counterparts
    const partner = partners.find('holder')
    assert.ok(partner)
    const request = {
      partner: linkOf(partner),
      method: 'GET',
      path,
      query: '?',
      headers,
      body: new Uint8Array(0),
      agreementId: undefined,
      deadlineMs: world.clock.now() + 5_000,
    }
    const attempted = await sendRequest(request, {
      world,
      carrier: client,
      sealing: openSealing(foundation, network.recipient.running.parts.counterparts),
      sleep: (ms) => sleep(ms),
      identity: {
        did: identity.did,
        authenticationKey: () => identity.authenticationKey(),
        assertionKey: () => identity.assertionKey(),
        peek: (keyid, purpose) => resolver.peek(keyid, purpose),
        resolveKey: (keyid, purpose, atMs) => resolver.resolveKey(keyid, purpose, atMs),
        tlsFingerprints: async () => [],
      },
    })
    return { request, attempted }
  }

  test('a call that names a pairwise id is kept under that person’s key, whatever came of it', async () => {
    const { auditLog, foundation } = network.recipient.running.parts
    const { identity, vault, database, world } = foundation
    const intents = createIntentStore(database, vault)
    const streams = { intents, unsettled: new Set<string>() }
    const recorder = createExchangeRecorder({ auditLog, vault, identity: identity as never, ...streams })
    const sent = await sendBare(`/x/athletes/athletes/${subject}`, new Map([['comity-purpose', research]]))
    assert.equal(sent.attempted.answer?.status, 403)
    const [id, startedMs] = ['0198b3c2-0000-7000-8000-000000000001', world.clock.now()]
    const request = { ...sent.request, product: 'athletes' }
    await recorder.recordSent({ id, request, attempted: sent.attempted, startedMs, finishedMs: startedMs })
    const row = await database.get('SELECT subject, request_base FROM exchanges WHERE id = ?', [id])
    assert.equal(row?.['subject'], vault.handleOf(subject))
    assert.match(String(row?.['request_base']), /^sealed:/)
    assert.ok((await vault.unseal(String(row?.['request_base'])))?.includes(subject))
  })

  test('an answer to a call with a token that names no consent counts for nothing', async () => {
    const authorization = await tokenFor(network, await giveConsent(network))
    const headers = new Map([
      ['comity-purpose', testPurpose],
      ['authorization', authorization],
    ])
    const { attempted } = await sendBare('/x/items/items/7', headers)
    assert.deepEqual([attempted.answer?.status, attempted.problem?.code], [200, 'answer-unbound'])
  })
})
