/** Composites that are refused as a whole, and what a refusal must not tell. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { bodyOf, codesOf, composite, compositeCall, research, type PartDraft } from './composite-calls.ts'
import { giveConsent, startPersonalNetwork, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { assertRefused, loggedExchange, send, signCall, withField } from './signed-call.ts'

describe('a composite is refused', () => {
  let network: PersonalNetwork
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork()
    authorization = await tokenFor(network, await giveConsent(network))
  })
  beforeEach(() => {
    network.api.called.length = 0
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
  })

  const profile = (changes: PartDraft = {}): PartDraft => ({
    product: 'athletes',
    path: `/athletes/${athleteReference}`,
    purpose: research,
    authorization,
    ...changes,
  })
  const withBody = (body: string, headers = {}) =>
    signCall(network, { method: 'POST', path: '/composites', body, headers })
  const refuses = async (body: string, code: ProblemCode): Promise<string> => {
    const { problem } = await assertRefused(network, withBody(body), { code })
    assert.deepEqual(network.api.called, [])
    return problem.detail
  }

  test('when a part has a name twice, in whatever spelling', async () => {
    const part = JSON.stringify(profile())
    await refuses(`{"parts":{"a":${part},"a":${part}}}`, 'malformed-request')
    await refuses(`{"parts":{"a":${part},"\\u0061":${part}}}`, 'malformed-request')
    await refuses(`{"parts":{"a":${part}},"parts":{}}`, 'malformed-request')
  })

  test('when it says anything that is not known, and is not told back what it said', async () => {
    for (const body of [
      { parts: { a: profile({ method: 'POST' }) } },
      { parts: { a: profile({ body: 'x' }) } },
      { parts: { a: profile({ 'planted-secret': 'x' }) } },
      { parts: { a: profile() }, more: 1 },
      { parts: { a: { product: 'athletes' } } },
      { parts: { a: profile({ path: 'athletes' }) } },
      { parts: { a: profile({ path: '/a?b' }) } },
      { parts: { a: profile({ product: '~composite' }) } },
      { parts: { a: profile({ authorization: 'Comity a\r\nplanted-secret: b' }) } },
      { parts: { a: profile({ query: 1 }) } },
      { parts: [profile()] },
      { parts: {} },
      [],
    ]) {
      assert.doesNotMatch(await refuses(JSON.stringify(body), 'invalid-body'), /planted/, JSON.stringify(body))
    }
    for (const body of ['{', 'null{}', '{"parts":{"a":{"__proto__":1}}']) await refuses(body, 'malformed-request')
  })

  test('when it has no part, a name that is none, or a seventeenth part', async () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, profile()]))
    assert.match(await refuses(JSON.stringify({ parts: many(17) }), 'invalid-body'), /over 16 parts/)
    for (const name of ['', 'A', '1a', 'a.b', `a${'b'.repeat(32)}`, '__proto__', 'ä']) {
      await refuses(`{"parts":{${JSON.stringify(name)}:${JSON.stringify(profile())}}}`, 'invalid-body')
    }
    assert.equal((await composite(network, many(16))).slices.size, 16)
  })

  test('when its body is huge, is not JSON by its type, or is not the one that was signed', async () => {
    const huge = JSON.stringify({ parts: { a: profile({ path: `/${'x'.repeat(600_000)}` }) } })
    await assertRefused(network, withBody(huge), { code: 'body-too-large' })
    const text = withBody(JSON.stringify({ parts: { a: profile() } }), { 'content-type': 'text/plain' })
    await assertRefused(network, text, { code: 'unsupported-media-type' })
    const changed = { ...compositeCall(network, { a: profile() }), body: JSON.stringify({ parts: { b: profile() } }) }
    await assertRefused(network, changed, { code: 'digest-mismatch', signed: false })
  })

  test('when nobody signed it, or it is not posted, or was sent before', async () => {
    const call = compositeCall(network, { a: profile() })
    const unsigned = withField(withField(call, 'signature'), 'signature-input')
    const bare = await send(network.holder, unsigned)
    assert.equal((JSON.parse(bare.body.toString()) as { code: string }).code, 'signature-missing')
    await assertRefused(network, signCall(network, { path: '/composites' }), { code: 'method-not-allowed' })
    assert.equal((await send(network.holder, call)).status, 200)
    await assertRefused(network, call, { code: 'nonce-replayed' })
    assert.equal(network.api.called.length, 1)
  })

  test('when its parts are about two people, and nothing of either is logged in clear', async () => {
    const other = await tokenFor(network, await giveConsent(network, { reference: otherReference }))
    const two = { one: profile(), two: profile({ path: `/athletes/${otherReference}`, authorization: other }) }
    const { answer } = await assertRefused(network, compositeCall(network, two), { code: 'composite-mixed' })
    const event = await loggedExchange(network.holder, answer.headers.get('comity-exchange') ?? '')
    assert.deepEqual([event?.product, event?.parts, event?.consent], ['~composite', undefined, undefined])
    const { database } = network.holder.running.parts.foundation
    const row = await database.get('SELECT * FROM exchanges WHERE id = ?', [event?.id ?? ''])
    assert.deepEqual([row?.['request_base'], row?.['subject']], [null, null])
    assert.deepEqual(network.api.called, [])
  })

  test('in a part in the same words whether or not the person exists, or is another than the one consented', async () => {
    const said = async (part: PartDraft) => {
      const seen = await composite(network, { good: profile(), asked: part })
      const { requestId: _, ...problem } = bodyOf(seen, 'asked') as { requestId: string }
      return { ...problem, codes: codesOf(seen) }
    }
    const unknown = await said(profile({ path: '/athletes/999999999', authorization: undefined }))
    assert.equal(unknown.codes['asked'], 'consent-required')
    for (const part of [
      profile({ path: `/athletes/${otherReference}`, authorization: undefined }),
      profile({ path: `/athletes/${otherReference}` }),
      profile({ path: '/athletes/999999999' }),
    ]) {
      assert.deepEqual(await said(part), unknown)
    }
  })

  test('of which nobody knows whom it was about, without the digest of what it asked', async () => {
    const seen = await composite(network, { a: profile({ authorization: undefined }) })
    const { database } = network.holder.running.parts.foundation
    const row = await database.get('SELECT * FROM exchanges WHERE id = ?', [seen.id])
    assert.deepEqual([row?.['request_base'], row?.['request_signature'], row?.['subject']], [null, null, null])
    const event = await loggedExchange(network.holder, seen.id)
    assert.deepEqual([event?.outcome, event?.parts?.[0]?.problem], ['denied', 'consent-required'])
  })

  test('as a whole when the storage takes no record: nothing of any part leaves', async () => {
    const { auditLog } = network.holder.running.parts
    const append = auditLog.append.bind(auditLog)
    auditLog.append = () => Promise.reject(new Problem('storage-failed', 'no space is left'))
    try {
      const answer = await send(network.holder, compositeCall(network, { a: profile() }))
      assert.equal(answer.status, 503, answer.body.toString())
      assert.doesNotMatch(answer.body.toString(), /\b181\b/)
    } finally {
      auditLog.append = append
    }
  })
})
