/** What somebody between two nodes, or another partner, may try with sealed contents. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { agreementKeysOf } from '@comity/core/sealing/agreement-key'
import { encodeContent } from '@comity/core/sealing/sealed-content'
import { requestBinding, sealedMediaType, type EnvelopeHead } from '@comity/core/sealing/sealed-envelope'
import { importPublicKey } from '../src/sealing/key-encapsulation.ts'
import { sealEnvelope } from '../src/sealing/sealing-cipher.ts'
import { demandSealing, startSealingNetwork, type SealingNetwork } from './sealing-network.ts'
import { assertRefused, freshNonce, isSigned, send, signCall, type CallDraft } from './signed-call.ts'
import { testPurpose } from './test-network.ts'

describe('sealed contents', () => {
  let network: SealingNetwork
  before(async () => {
    network = await startSealingNetwork({ answers: 'offered', requests: 'required' }, { others: { mallory: () => {} } })
  })
  after(() => network[Symbol.asyncDispose]())

  /** A sealed `POST /items` of the recipient, with changes. */
  function sealedCall(options: {
    readonly head?: Partial<EnvelopeHead>
    readonly bound?: Partial<Parameters<typeof requestBinding>[0]>
    readonly draft?: Partial<CallDraft>
    readonly envelope?: string
  }) {
    const { holder, recipient, clock } = network
    const { identity } = holder.running.parts.foundation
    const key = agreementKeysOf(identity.document(), clock.now()).find(({ kind }) => kind === 'X25519')
    assert.ok(key)
    const as = options.draft?.as ?? recipient.running.parts.foundation.identity.authenticationKey()
    const nonce = freshNonce()
    const target = { method: 'POST', authority: new URL(holder.url).host, path: '/x/items/items', query: '?' }
    const bnd = requestBinding({ ...target, keyid: as.keyid, nonce, ...options.bound })
    const head = { alg: 'HPKE-3', kid: key.keyid, typ: 'comity-request', bnd, ...options.head } as const
    const fields = { 'content-type': 'application/json' }
    const { bytes } = encodeContent({ fields, body: Buffer.from('{"name":"planted"}') }, randomBytes(32))
    const made = sealEnvelope({ head, key: importPublicKey(key.kind, key.bytes), plaintext: bytes }, randomBytes)
    const headers = { 'comity-purpose': testPurpose, 'content-type': sealedMediaType, 'idempotency-key': `"${nonce}"` }
    const body = options.envelope ?? made
    return signCall(network, { ...target, nonce, headers, body, ...options.draft })
  }

  test('are taken when the envelope is for this very request', async () => {
    const call = sealedCall({})
    const answer = await send(network.holder, call)
    assert.equal(answer.status, 201, answer.body.toString())
    assert.ok(isSigned(network.holder, call, answer))
  })

  test('are refused in another request of the same caller, whatever of it is another', async () => {
    for (const bound of [
      { method: 'PUT' },
      { path: '/x/items/items/1' },
      { query: '?limit=1' },
      { authority: 'other.example' },
      { keyid: `${network.recipient.did}#other` },
      { nonce: freshNonce() },
    ]) {
      await assertRefused(network, sealedCall({ bound }), { code: 'unseal-failed' })
    }
  })

  test('are of no use to another partner that read them on the way', async () => {
    await network.post('seen by mallory')
    const stolen = network.proxy.seen.findLast(({ line }) => line.startsWith('POST'))?.body.toString() ?? ''
    assert.ok(stolen.length > 100)
    const as = network.others['mallory']?.running.parts.foundation.identity.authenticationKey()
    assert.ok(as)
    await assertRefused(network, sealedCall({ envelope: stolen, draft: { as } }), { code: 'unseal-failed' })
  })

  test('that do not open are refused with one code and one sentence, whatever is wrong with them', async () => {
    const envelope = sealedCall({}).body
    const details = new Set<string>()
    for (const call of [
      sealedCall({ envelope: envelope.slice(0, -7) }),
      sealedCall({ envelope: envelope.slice(0, 40) }),
      sealedCall({ envelope: 'x' }),
      sealedCall({ head: { typ: 'comity-answer' } }),
      sealedCall({ head: { kid: `${network.holder.did}#agree-none` } }),
      sealedCall({ head: { kid: `${network.recipient.did}#agree-none` } }),
      sealedCall({ envelope: envelope.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url')) }),
    ]) {
      const { problem } = await assertRefused(network, call, { code: 'unseal-failed' })
      details.add(problem.detail)
    }
    assert.equal(details.size, 1)
  })

  test('cannot be weakened on the way: what a request says it can open is signed', async () => {
    for (const change of [
      (name: string, value: string) =>
        name === 'comity-accept-sealing' ? value.replace(/HPKE-9;kid="[^"]+" /, '') : value,
      (name: string, value: string) => (name === 'comity-accept-sealing' ? '' : value),
    ]) {
      network.proxy.change = (message, direction) => {
        if (direction === 'answer' || !message.line.includes('/x/')) return message
        const headers = message.headers.map((text, index) =>
          index % 2 === 0 ? text : change((message.headers[index - 1] ?? '').toLowerCase(), text),
        )
        return { ...message, headers }
      }
      const calls = network.upstream.seen.length
      const answer = await network.call('/holder/items/items/7')
      assert.ok(answer.status >= 400)
      assert.equal(network.upstream.seen.length, calls)
    }
    network.proxy.change = undefined
  })

  test('cannot be exchanged on the way: an answer in clear in the place of a sealed one is refused', async () => {
    network.proxy.change = (message, direction) =>
      direction === 'answer' && message.line === '200' && message.headers.includes(sealedMediaType)
        ? { ...message, body: Buffer.from('{"id":7,"name":"planted"}') }
        : message
    const answer = await network.call('/holder/items/items/7')
    network.proxy.change = undefined
    assert.equal(answer.status, 502)
    assert.doesNotMatch(await answer.text(), /planted/)
  })

  test('are not taken from a caller whose field names keys of somebody else, or none', async () => {
    for (const [field, code] of [
      ['offer=(HPKE-3;kid="agree-none")', 'key-unknown'],
      ['offer=(HPKE-9;kid="no key")', 'malformed-request'],
      ['HPKE-9', 'malformed-request'],
    ] as const) {
      const headers = { 'comity-purpose': testPurpose, 'comity-accept-sealing': field }
      await assertRefused(network, signCall(network, { headers }), { code })
    }
  })

  test('are within the limits of bodies, sealed and opened', async () => {
    const { product } = network.holder.running.parts.catalogue.list()[0] ?? {}
    const largest = 'x'.repeat((product?.requestBytes ?? 0) - 20)
    const taken = await network.post(largest)
    assert.equal(taken.status, 201)
    await taken.text()
    const tooLarge = await network.post(`${largest}${'x'.repeat(100)}`)
    assert.equal(tooLarge.status, 413, await tooLarge.clone().text())
    assert.equal(((await tooLarge.json()) as { code: string }).code, 'body-too-large')
    await demandSealing(network, {})
  })
})
