/** Calls about people between real nodes: what arrives at the API, what leaves, and what stays written down. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { testPurposes } from '@comity/core/consent/test-consent'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { consentAuthorization, parseConsentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { Problem } from '@comity/core/problems'
import { athleteReference, otherReference } from './personal-upstream.ts'
import {
  call,
  codeOf,
  consentsOf,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalCall,
  type PersonalNetwork,
} from './personal-network.ts'

const bySubject = { by: 'subject', actorId: 'the athlete', method: 'page' } as const

describe('a call about a person', () => {
  let network: PersonalNetwork
  before(async () => void (network = await startPersonalNetwork()))
  after(() => network[Symbol.asyncDispose]())

  const about = (reference: string, below = '') => `/x/athletes/athletes/${reference}${below}`
  async function consented(grant: object = {}, changes: PersonalCall = {}) {
    const id = await giveConsent(network, { grants: [grant] })
    return { id, answer: await call(network, { authorization: await tokenFor(network, id), ...changes }) }
  }

  test('gives the fields that were granted, and names the others', async () => {
    const { id, answer } = await consented()
    assert.deepEqual(jsonOf(answer), { height: 181, weight: 74 })
    assert.equal(answer.headers.get('comity-fields-withheld'), '"name", "born", "note"')
    // A validator of what leaves: the upstream's tells of every field.
    assert.match(answer.headers.get('etag') ?? '', /^"[\w-]{43}"$/)
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.con?.id, claims.con?.rev], [id, 1])
    assert.deepEqual(
      [claims.rel, claims.wit],
      [
        ['height', 'weight'],
        ['name', 'born', 'note'],
      ],
    )
    assert.equal(claims.pur, testPurposes.research)
  })

  test('gives of these what was asked for, and names what was asked for in vain', async () => {
    const { answer } = await consented({}, { query: '?fields=height,name' })
    assert.deepEqual(jsonOf(answer), { height: 181 })
    assert.equal(answer.headers.get('comity-fields-withheld'), '"name"')
  })

  test('changes values as the consent says', async () => {
    const transforms = [
      { path: 'born', op: 'year' },
      { path: 'name', op: 'pseudonym' },
      { path: 'height', op: 'round', arg: 10 },
    ] as const
    const { answer } = await consented({ domains: ['identity', 'sport.body'], transforms })
    const pseudonym = network.holder.running.parts.foundation.vault.pairwise(athleteReference, network.recipient.did)
    assert.deepEqual(jsonOf(answer), { name: pseudonym, height: 180, weight: 74, born: '1999' })
  })

  test('gives the rows of the period that satisfy the filters, page by page', async () => {
    const grant = {
      products: ['results'],
      domains: ['sport.results'],
      dataPeriod: { from: '2026-11-01T00:00:00Z' },
      filters: [{ path: 'event', op: '=', value: 'skiff' }],
    }
    const results = `/x/results/athletes/${athleteReference}/results`
    const { id, answer } = await consented(grant, { path: results })
    assert.deepEqual(jsonOf(answer), { items: [], total: 3 })
    const authorization = await tokenFor(network, id)
    const page = { authorization, path: results, query: '?page=2' }
    assert.deepEqual(jsonOf(await call(network, page)), {
      items: [{ event: 'skiff', day: '2026-11-15', rank: 2 }],
      total: 3,
    })
    await consentsOf(network.holder).withdraw(id, bySubject)
    assert.equal(codeOf(await call(network, page)), 'consent-inactive', 'the very next page')
  })

  test('gives something about enough rows together, and nothing about fewer', async () => {
    const path = `/x/results/athletes/${athleteReference}/results`
    const grant = (arg: number) => ({
      products: ['results'],
      domains: ['sport.results'],
      fields: { include: ['rank'] },
      transforms: [{ path: 'rank', op: 'aggregate', fn: 'avg', arg }],
    })
    assert.deepEqual(jsonOf((await consented(grant(2), { path })).answer), { items: [{ rank: 2 }], total: 3 })
    const { id, answer } = await consented(grant(3), { path })
    assert.deepEqual(jsonOf(answer), { items: [], total: 3 })
    const authorization = await tokenFor(network, id)
    const page = await call(network, { authorization, path, query: '?page=2' })
    assert.deepEqual(jsonOf(page), { items: [], total: 3 }, 'one row is no group')
  })

  test('of a grant for a period, an operation whose rows carry no date and no field of it gives nothing', async () => {
    const dataPeriod = { from: '2026-11-01T00:00:00Z' }
    const path = `/x/results/athletes/${athleteReference}/medals`
    const dated = { products: ['results'], domains: ['sport.results'], dataPeriod }
    const { answer } = await consented(dated, { path })
    assert.equal(codeOf(answer), 'consent-scope')
    const errors = [
      {
        pointer: '/grants/0/dataPeriod',
        detail:
          'the operation `medals` of `results` answers `medal` without a date of its rows, so no period can be kept to',
      },
    ]
    await assert.rejects(
      giveConsent(network, { grants: [{ ...dated, domains: ['sport'] }] }),
      (error) => error instanceof Problem && isDeepStrictEqual(error.members['errors'], errors),
    )
    const without = { ...dated, domains: ['sport'], fields: { exclude: ['medal'] } }
    await giveConsent(network, { grants: [without] })
  })

  test('is judged by the grants on what its own operation answers: rows, fields and uses of others are not touched', async () => {
    const products = ['results']
    const grants = [
      {
        products,
        domains: ['sport.results'],
        filters: [{ path: 'event', op: '=' as const, value: 'eights' }],
        maxUses: 1,
      },
      { products, domains: ['sport.medals'] },
    ]
    const id = await giveConsent(network, { grants })
    const ask = async (below: string) =>
      call(network, {
        authorization: await tokenFor(network, id),
        path: `/x/results/athletes/${athleteReference}/${below}`,
      })
    for (const _ of [1, 2, 3]) {
      const medals = await ask('medals')
      assert.deepEqual(parseReceipt(medals.headers.get('comity-receipt') ?? '').claims.rel, ['medal'])
    }
    const results = await ask('results')
    // Rows that the filter leaves out are not there at all, though another grant has no filter.
    assert.deepEqual(jsonOf(results), { items: [], total: 3 })
    const { rel, wit } = parseReceipt(results.headers.get('comity-receipt') ?? '').claims
    assert.deepEqual([rel, wit], [['event', 'day', 'rank'], []])
    assert.equal(codeOf(await ask('results')), 'consent-quota')
    assert.equal(codeOf(await ask('medals')), '200')
  })

  test('may name the person by the pairwise id, which the API never sees', async () => {
    const id = await giveConsent(network)
    const authorization = await tokenFor(network, id)
    const { sub } = parseConsentAuthorization(authorization).root.claims
    network.api.called.length = 0
    const answer = await call(network, { authorization, path: about(sub), headers: { 'comity-subject': sub } })
    assert.equal(jsonOf(answer)['height'], 181)
    assert.deepEqual(network.api.called, [`GET /athletes/${athleteReference}`])
  })

  test('is refused without a word about who exists, and the API is not asked', async () => {
    const id = await giveConsent(network)
    await giveConsent(network, { reference: otherReference })
    const authorization = await tokenFor(network, id)
    const stranger = importSigningKey(generatePrivateJwk('ed25519'))
    const did = didKeyOf(stranger.publicJwk)
    network.api.called.length = 0
    const answers = await Promise.all([
      call(network),
      call(network, { path: about('999999999') }),
      call(network, { path: about(otherReference) }),
      call(network, { authorization, path: about(otherReference) }),
      call(network, { authorization, path: about('999999999') }),
    ])
    const bodies = answers.map((answer) => ({ ...jsonOf(answer), requestId: '' }))
    for (const body of bodies) assert.deepEqual(body, bodies[0])
    assert.equal(codeOf(answers[0] as never), 'consent-required')
    assert.ok(answers.every(({ status }) => status === 403))
    const lengths = new Set(answers.map(({ headers }) => headers.get('content-length')))
    assert.equal(lengths.size, 1)
    assert.deepEqual(network.api.called, [])
    // Who has no agreement is told that, and nothing else.
    const asStranger = await call(network, { authorization, as: { keyid: didKeyId(did), key: stranger } })
    assert.notEqual(codeOf(asStranger), '200')
  })

  test('is refused for another purpose, another revision, a pause, and when the time is over', async () => {
    const id = await giveConsent(network)
    const authorization = await tokenFor(network, id)
    assert.equal(codeOf(await call(network, { authorization, purpose: testPurposes.marketing })), 'consent-purpose')
    const consents = consentsOf(network.holder)
    await consents.pause(id, bySubject)
    assert.equal(codeOf(await call(network, { authorization })), 'consent-inactive')
    await consents.resume(id, bySubject)
    assert.equal(codeOf(await call(network, { authorization })), '200')
    await consents.withdraw(id, bySubject)
    assert.equal(codeOf(await call(network, { authorization })), 'consent-inactive')
  })

  test('that was withdrawn while the API was asked gets nothing of the answer, and is no use', async () => {
    const id = await giveConsent(network)
    const authorization = await tokenFor(network, id)
    network.api.behave = (response) => {
      void consentsOf(network.holder)
        .withdraw(id, bySubject)
        .then(() => response.setHeader('content-type', 'application/json').end('{"height":181}'))
    }
    const answer = await call(network, { authorization })
    network.api.behave = undefined
    assert.equal(codeOf(answer), 'consent-inactive')
    const { database } = network.holder.running.parts.foundation
    assert.deepEqual(await database.all('SELECT * FROM consent_uses WHERE consent = ?', [id]), [])
  })

  test('counts against the uses when an answer left, and only then', async () => {
    const id = await giveConsent(network, { grants: [{ maxUses: 2 }] })
    const authorization = await tokenFor(network, id)
    network.api.behave = (response) => void response.writeHead(500).end()
    assert.notEqual(codeOf(await call(network, { authorization })), '200')
    network.api.behave = undefined
    const codes = []
    for (let times = 0; times < 3; times += 1) codes.push(codeOf(await call(network, { authorization })))
    assert.deepEqual(codes, ['200', '200', 'consent-quota'])
    await network.holder.stop()
    await network.holder.start()
    assert.equal(codeOf(await call(network, { authorization: await tokenFor(network, id) })), 'consent-quota')
  })

  test('leaves a record that is sealed, readable while the person is kept, and proven afterwards', async () => {
    const { id, answer } = await consented()
    const exchange = answer.headers.get('comity-exchange') ?? ''
    const { auditLog, foundation, gateway } = network.holder.running.parts
    const row = await foundation.database.get('SELECT * FROM exchanges WHERE id = ?', [exchange])
    assert.match(String(row?.['request_base']), /^sealed:/)
    const stored = await gateway.exchanges.find(exchange)
    assert.ok(stored?.request?.base.includes(athleteReference))
    const [kept] = await foundation.database.all('SELECT body FROM log_entries WHERE id = ?', [exchange])
    assert.match(String(kept?.['body']), /^sealed:/)
    const [event] = (await auditLog.readEvents({ subject: foundation.vault.handleOf(athleteReference) })).slice(-1)
    const facts = parseExchangeEvent(event?.body ?? '')
    assert.deepEqual([facts.consent?.id, facts.released], [id, ['height', 'weight']])
  })

  test('leaves of a refusal nothing that names the person', async () => {
    const refused = await call(network, { path: about('123456789') })
    const exchange = String(jsonOf(refused)['requestId'])
    const { database } = network.holder.running.parts.foundation
    const row = await database.get('SELECT * FROM exchanges WHERE id = ?', [exchange])
    assert.deepEqual([row?.['request_base'], row?.['request_signature']], [null, null])
    for (const { name } of await database.all(`SELECT name FROM sqlite_master WHERE type = 'table'`)) {
      const rows = await database.all(`SELECT * FROM ${String(name)}`)
      assert.ok(!JSON.stringify(rows).includes('123456789'), String(name))
    }
    assert.ok(network.holder.logged.every((line) => !line.includes('123456789')))
  })

  test('that writes is made once, and its kept answer is given again only under the same consent', async () => {
    const grant: Partial<ConsentGrant> = { actions: ['read', 'write'], domains: ['sport.body', 'sport.notes'] }
    const id = await giveConsent(network, { grants: [grant] })
    const asked = {
      method: 'POST',
      path: about(athleteReference, '/notes'),
      body: '{"note":"x"}',
      headers: { 'idempotency-key': '"k1"' },
    }
    network.api.called.length = 0
    const first = await call(network, { ...asked, authorization: await tokenFor(network, id) })
    assert.deepEqual(jsonOf(first), { height: 181, weight: 74, note: 'kept' })
    const again = await call(network, { ...asked, authorization: await tokenFor(network, id) })
    assert.deepEqual([jsonOf(again), network.api.called.length], [jsonOf(first), 1])
    const { database } = network.holder.running.parts.foundation
    const [intent] = await database.all('SELECT * FROM intents')
    for (const column of ['fingerprint', 'event', 'headers']) assert.match(String(intent?.[column]), /^sealed:/)
    const narrower = await giveConsent(network, { grants: [{ ...grant, domains: ['sport.notes'] }] })
    const other = await call(network, { ...asked, authorization: await tokenFor(network, narrower) })
    assert.equal(codeOf(other), 'idempotency-key-reused')
  })

  test('by a delegate who is nobody`s partner is made for the recipient, under its agreement', async () => {
    const onward = { onward: { allow: 'any', maxDepth: 1 } } as const
    const id = await giveConsent(network, { grants: [onward] })
    const root = await tokenFor(network, id)
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const did = didKeyOf(key.publicJwk)
    const nowSeconds = Math.floor(network.clock.now() / 1000)
    const [scope] = parseConsentAuthorization(root).root.claims.authorization_details
    assert.ok(scope)
    const chain = mintDelegation(
      {
        parent: root.slice('Comity '.length),
        delegate: { did, jwk: key.publicJwk },
        delegation: 'd1',
        scopes: [{ ...scope, fields: { include: ['height'] } }],
        createdAt: nowSeconds,
        expiresAt: nowSeconds + 200,
        jti: 'j1',
      },
      network.recipient.running.parts.foundation.identity.authenticationKey(),
    )
    const as = { keyid: didKeyId(did), key }
    const answer = await call(network, { authorization: consentAuthorization(chain), as })
    assert.deepEqual(jsonOf(answer), { height: 181 })
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.aud, claims.via], [did, [network.recipient.did, did]])
    const byRecipient = await call(network, { authorization: consentAuthorization(chain) })
    assert.equal(codeOf(byRecipient), 'consent-required')
    const [known] = await network.holder.running.parts.consent.store.loadDelegates(id)
    assert.equal(known?.delegate, did)
  })

  test('is in the log before the end of its consent, or gets nothing', async () => {
    for (let round = 0; round < 8; round++) {
      const id = await giveConsent(network)
      const authorization = await tokenFor(network, id)
      const calls = Array.from({ length: 16 }, async (_, index) => {
        await sleep(2 * index)
        return codeOf(await call(network, { authorization }))
      })
      await sleep(16 + round)
      await consentsOf(network.holder).withdraw(id, bySubject)
      for (const code of await Promise.all(calls)) assert.ok(['200', 'consent-inactive'].includes(code), code)
      const events = await network.holder.running.parts.auditLog.readEvents({ limit: 100_000 })
      const told = events.filter(({ body }) => body?.includes(id))
      const end = told.find(({ type, body }) => type === 'consent' && body?.includes('"withdrawn"'))
      assert.ok(end)
      const answered = told.filter(({ type, body }) => type === 'exchange' && body?.includes('"allowed"'))
      assert.ok(answered.every(({ position }) => position < end.position))
    }
  })
})
