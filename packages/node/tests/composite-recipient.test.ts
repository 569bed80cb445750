/** Composites from the recipient's side: what an application asks of several operations, and of several holders. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { sliceHash } from '@comity/core/exchange/composite-answer'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseEvidence } from '@comity/core/exchange/evidence-bundle'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { createAccessLog } from '../src/assembly/access-log.ts'
import { createConsentUsesStore } from '../src/consent/check/uses-store-sql.ts'
import { compose, research, type PartDraft } from './composite-calls.ts'
import { grantAll, requestOf, startPersonalNetwork, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { loggedExchange } from './signed-call.ts'
import { testPurpose } from './test-network.ts'

describe('an application asks for a composite', () => {
  let network: PersonalNetwork
  let consent: string
  let subject: string
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
    const { consents } = network.recipient.running.parts.consent.held
    const request = requestOf({ grants: [{}, { products: ['results'], domains: ['sport.results'] }] })
    const asked = await consents.ask({ partner: 'holder', request })
    consent = asked.id
    await grantAll(network, consent, request)
    await consents.refresh(consent)
    subject = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
  })
  beforeEach(() => {
    network.api.called.length = 0
  })
  after(() => network[Symbol.asyncDispose]())

  const profile = (changes: PartDraft = {}): PartDraft => ({
    partner: 'holder',
    product: 'athletes',
    path: `/athletes/${subject}`,
    ...changes,
  })

  test('and gets each slice, with one receipt that names the parts; tokens and agreements are attached', async () => {
    const { slices, exchanges, codes, id } = await compose(
      network,
      {
        profile: profile(),
        results: profile({ product: 'results', path: `/athletes/${subject}/results`, consent }),
        item: { partner: 'holder', product: 'items', path: '/items/7', purpose: testPurpose },
      },
      { 'comity-purpose': research },
    )
    assert.deepEqual(codes, { profile: '200', results: '200', item: '200' })
    assert.equal(exchanges.length, 1)
    const [proof] = exchanges
    assert.deepEqual(proof?.parts, ['profile', 'results', 'item'])
    assert.equal(proof.exchange, id)
    const { claims } = parseReceipt(proof.receipt ?? '')
    assert.deepEqual(
      claims.parts?.map(({ name, res }) => [name, res]),
      [...slices].map(([name, slice]) => [name, sliceHash(slice)]),
    )
    assert.deepEqual(
      claims.parts?.map(({ con }) => con?.id),
      [consent, consent, undefined],
    )
    const [ours, theirs] = [
      await loggedExchange(network.recipient, id),
      await loggedExchange(network.holder, claims.jti),
    ]
    assert.deepEqual([ours?.role, ours?.product, ours?.outcome], ['recipient', '~composite', 'allowed'])
    assert.deepEqual(
      ours?.parts?.map(({ name, consent: of, released }) => [name, of, released]),
      theirs?.parts?.map(({ name, consent: of, released }) => [name, of, released]),
    )
  })

  const results = (changes: PartDraft = {}): PartDraft =>
    profile({ product: 'results', path: `/athletes/${subject}/results`, purpose: research, ...changes })

  /** Files for the command: the evidence from the recipient, the holder's document, the answer as it came. */
  async function filesOf(id: string, text: string) {
    const directory = await mkdtemp(join(tmpdir(), 'comity-composite-'))
    const { evidence } = await network.recipient.running.parts.exportEvidence(id)
    const file = async (name: string, content: string) => {
      await writeFile(join(directory, name), content)
      return join(directory, name)
    }
    const receipt = parseEvidence(evidence).receipt
    const document = network.holder.running.parts.foundation.identity.document()
    return {
      directory,
      file,
      evidence: await file('evidence.json', JSON.stringify(evidence)),
      receipt: await file('receipt.jws', receipt),
      did: await file('did.json', JSON.stringify(document)),
      answer: await file('answer.json', text),
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
    }
  }

  test('and a stranger verifies it offline, slice by slice', async () => {
    const { id, text } = await compose(network, { profile: profile({ purpose: research }), results: results() })
    await using files = await filesOf(id, text)
    const held = await runQuietly('verify', 'exchange', files.evidence, '--answer', files.answer)
    assert.equal(held.code, 0, held.out + held.error)
    assert.match(held.out, /the receipt is for 2 parts: `profile` \(`athletes`, 200\), `results` \(`results`, 200\)/)
    assert.match(held.out, /✓ the receipt is for exactly this content of the part `results`/)
    assert.match(held.out, /✓ the event says what the receipt says/)
    const receipt = await runQuietly(
      'verify',
      'receipt',
      files.receipt,
      '--did-document',
      files.did,
      '--answer',
      files.answer,
    )
    assert.equal(receipt.code, 0, receipt.out + receipt.error)
    assert.match(receipt.out, /part +profile \{"prd":"athletes"/)
    const forged = await files.file('forged.json', text.replace('181', '182'))
    const other = await runQuietly('verify', 'exchange', files.evidence, '--answer', forged)
    assert.equal(other.code, 1)
    assert.match(other.out, /✗ the receipt is for other content of the part `profile`/)
    const lacking = await files.file('lacking.json', '{"parts":{"results":{"status":204}}}')
    const left = await runQuietly('verify', 'receipt', files.receipt, '--did-document', files.did, '--answer', lacking)
    assert.equal(left.code, 1)
    assert.match(left.out, /✗ the content leaves out the part `profile`/)
  })

  test('of so many parts that the receipt holds the hash of their list, which verifies all the same', async () => {
    const parts = Object.fromEntries(
      Array.from({ length: 16 }, (_, at) => [`part${at}`, profile({ purpose: research })]),
    )
    const { id, text, codes, exchanges } = await compose(network, parts)
    assert.ok(Object.values(codes).every((code) => code === '200'))
    const { claims } = parseReceipt(exchanges[0]?.receipt ?? '')
    assert.deepEqual([claims.parts, typeof claims.pth], [undefined, 'string'])
    assert.equal((await loggedExchange(network.recipient, id))?.parts?.length, 16)
    await using files = await filesOf(id, text)
    for (const args of [
      ['exchange', files.evidence],
      ['receipt', files.receipt, '--did-document', files.did],
    ]) {
      const held = await runQuietly('verify', ...args, '--answer', files.answer)
      assert.equal(held.code, 0, held.out + held.error)
      assert.match(held.out, /the receipt is for 16 parts/)
    }
    const bare = await runQuietly('verify', 'receipt', files.receipt, '--did-document', files.did)
    assert.match(bare.out, /the receipt names its parts by a hash alone, and the list is not here/)
  })

  test('and what both sides keep of it is sealed; nothing names the person in clear', async () => {
    const { id, exchanges } = await compose(network, {
      profile: profile({ purpose: research }),
      refused: profile({ purpose: research, query: 'fields=nothing' }),
    })
    const { jti } = parseReceipt(exchanges[0]?.receipt ?? '').claims
    for (const [node, exchange] of [
      [network.recipient, id],
      [network.holder, jti],
    ] as const) {
      const { database } = node.running.parts.foundation
      const row = await database.get('SELECT * FROM exchanges WHERE id = ?', [exchange])
      assert.match(String(row?.['request_base']), /^sealed:/)
      const [kept] = await database.all('SELECT body FROM log_entries WHERE id = ?', [exchange])
      assert.match(String(kept?.['body']), /^sealed:/)
      for (const table of ['exchanges', 'log_entries', 'intents', 'policy_decisions']) {
        const rows = JSON.stringify(await database.all(`SELECT * FROM ${table}`))
        assert.ok(!rows.includes(subject) && !rows.includes(athleteReference), `${node.name} ${table}`)
      }
    }
  })

  test('and the person sees each part as a use of the consent, with its proof', async () => {
    const { exchanges } = await compose(network, { profile: profile({ purpose: research }), results: results() })
    const { jti } = parseReceipt(exchanges[0]?.receipt ?? '').claims
    const { foundation, auditLog, exportEvidence } = network.holder.running.parts
    const log = createAccessLog({
      auditLog,
      store: { list: async () => [] },
      uses: createConsentUsesStore(foundation.database),
      loadErasures: async () => [],
      exportEvidence: async (exchange) => (await exportEvidence(exchange)).evidence,
    })
    const uses = await log.list({ subject: '', consent, limit: 2 })
    assert.deepEqual(
      uses.map(({ exchange, product, released }) => [exchange, product, released]),
      [
        [`${jti}.results`, 'results', ['event', 'day', 'rank']],
        [`${jti}.profile`, 'athletes', ['height', 'weight']],
      ],
    )
    assert.ok(verifyEvidence(await log.proof(`${jti}.profile`)).ok)
    assert.equal(await log.find(`${jti}.nothing`), undefined)
  })

  test('under a token that ran out on the way: with a fresh one once more, for that part alone', async () => {
    const { attach: held } = network.recipient.running.parts.consent.held
    const attach = held.attach.bind(held)
    const asked = { partner: network.holder.did, product: 'athletes', purpose: research, named: consent, subject }
    const old = await attach(asked)
    assert.ok(old)
    network.clock.offsetMs += 3_600_000
    // What was attached a moment before the token ran out.
    held.attach = async (call) =>
      call.product === 'athletes' ? { ...old, renewed: async () => (await attach(call)) ?? old } : attach(call)
    try {
      const { codes, exchanges } = await compose(network, { a: profile({ purpose: research }), b: results() })
      assert.deepEqual(codes, { a: '200', b: '200' })
      assert.deepEqual(
        exchanges.map(({ parts }) => parts),
        [['a', 'b'], ['a']],
      )
      const [first] = exchanges
      const event = await loggedExchange(network.recipient, first?.exchange ?? '')
      assert.deepEqual(
        event?.parts?.map(({ problem }) => problem),
        ['consent-token-expired', undefined],
      )
    } finally {
      held.attach = attach
    }
  })

  test('about two people is refused by the own node: nothing leaves', async () => {
    const { consents } = network.recipient.running.parts.consent.held
    const request = requestOf({ reference: otherReference })
    const other = (await consents.ask({ partner: 'holder', request })).id
    await grantAll(network, other, request)
    await consents.refresh(other)
    const body = {
      one: profile({ purpose: research, consent }),
      two: profile({ path: '/athletes/x', purpose: research, consent: other }),
    }
    const answer = await fetch(network.recipient.local('/~composite'), {
      method: 'POST',
      body: JSON.stringify({ parts: body }),
    })
    assert.equal(((await answer.json()) as { code: string }).code, 'composite-mixed')
    assert.deepEqual(network.api.called, [])
  })

  test('and proves it still when the person has been erased at both', async () => {
    const { id, exchanges } = await compose(network, { profile: profile({ purpose: research }), results: results() })
    const { jti } = parseReceipt(exchanges[0]?.receipt ?? '').claims
    await network.holder.running.parts.consent.eraseSubject(athleteReference)
    await network.recipient.running.parts.consent.eraseSubject(subject)
    for (const [node, exchange] of [
      [network.recipient, id],
      [network.holder, jti],
    ] as const) {
      const { evidence } = await node.running.parts.exportEvidence(exchange)
      const report = verifyEvidence(evidence)
      assert.ok(report.ok, JSON.stringify(report.checks))
      assert.deepEqual(parseEvidence(evidence).erased?.includes('event'), true)
      assert.deepEqual(
        report.claims?.parts?.map(({ name }) => name),
        ['profile', 'results'],
      )
    }
  })
})
