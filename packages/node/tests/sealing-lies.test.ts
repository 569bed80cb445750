/** A holder that seals wrongly, or what looks like it: the application gets nothing, and reads one code that says no more
 *  than that. The holder's keys are its own, so that nothing but the sealing is wrong. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { parseAcceptSealing } from '@comity/core/sealing/accept-sealing'
import { agreementKeysOf } from '@comity/core/sealing/agreement-key'
import { commitmentTo, encodeContent } from '@comity/core/sealing/sealed-content'
import { answerBinding, sealedMediaType, type EnvelopeHead } from '@comity/core/sealing/sealed-envelope'
import type { SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import { importPublicKey } from '../src/sealing/key-encapsulation.ts'
import { sealEnvelope } from '../src/sealing/sealing-cipher.ts'
import { startLyingHolder, write, type HeardRequest, type Lie, type LyingHolder } from './lying-holder.ts'
import { demandSealing } from './sealing-network.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const planted = '{"id":7,"name":"planted"}'

/** How an envelope is made otherwise than it should be. */
interface Twist {
  readonly head?: Partial<EnvelopeHead>
  readonly algorithm?: SealingAlgorithm
  /** The salt that the commitment is made with. */
  readonly salt?: Uint8Array
  readonly change?: (envelope: string) => string
  readonly lie?: (claim: { readonly alg: SealingAlgorithm; readonly com: string }) => Lie
}

describe('the application gets nothing of', () => {
  let network: TestNetwork
  let liar: LyingHolder
  before(async () => {
    network = await startTestNetwork()
    const agreementId = await network.agree()
    await demandSealing(network, { answers: 'required', algorithms: ['HPKE-3', 'ECDH-ES+A256KW'] })
    liar = await startLyingHolder(network, agreementId)
  })
  after(async () => {
    await liar[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), { headers: { 'comity-purpose': testPurpose } })

  function sealed(request: HeardRequest, { head, algorithm = 'HPKE-3', salt, change, lie }: Twist = {}): Lie {
    const { did, running } = network.recipient
    const { offers } = parseAcceptSealing(request.header('comity-accept-sealing') ?? '', did)
    const document = running.parts.foundation.identity.document()
    const named = offers.find((offer) => offer.algorithm === algorithm)?.keyid
    const key = agreementKeysOf(document, network.clock.now()).find(({ keyid, kind }) =>
      named === undefined ? kind === 'MLKEM768-X25519' : keyid === named,
    )
    assert.ok(key)
    const { bytes, opening } = encodeContent(
      { fields: { 'content-type': 'application/json' }, body: Buffer.from(planted) },
      randomBytes(32),
    )
    const made = { alg: algorithm, kid: key.keyid, typ: 'comity-answer', bnd: answerBinding(request.base) } as const
    const target = importPublicKey(key.kind, key.bytes)
    const envelope = sealEnvelope({ head: { ...made, ...head }, key: target, plaintext: bytes }, randomBytes)
    const claim = { alg: algorithm, com: commitmentTo({ ...opening, ...(salt && { salt }) }) }
    const body = change === undefined ? envelope : change(envelope)
    return { body, headers: { 'content-type': sealedMediaType }, claims: { sea: { res: claim } }, ...lie?.(claim) }
  }

  const answerWith = (twist: Twist) => {
    liar.behave = (request, response) => write(response, liar.answer(request, sealed(request, twist)))
  }

  async function assertRefused(code = 'answer-invalid', detail?: string): Promise<void> {
    const answer = await call()
    const text = await answer.text()
    assert.equal(answer.status, 502, text)
    assert.doesNotMatch(text, /planted/)
    const problem = JSON.parse(text) as { code: string; detail: string }
    assert.equal(problem.code, code)
    if (detail !== undefined) assert.equal(problem.detail, detail)
    assert.ok(!network.recipient.logged.join('\n').includes('planted'))
  }
  const unopened = 'the sealed answer cannot be opened'

  test('nothing but of lies: an answer that is sealed as it should be is handed on', async () => {
    answerWith({})
    const answer = await call()
    assert.equal(answer.status, 200, await answer.clone().text())
    assert.equal(await answer.text(), planted)
    assert.equal(answer.headers.get('content-type'), 'application/json')
  })

  test('an answer whose receipt commits to other content', async () => {
    answerWith({ salt: randomBytes(32) })
    await assertRefused('answer-invalid', 'the receipt commits to other content than was sealed')
    answerWith({ lie: (claim) => ({ claims: { sea: { res: { ...claim, com: encodeBase64url(randomBytes(32)) } } } }) })
    await assertRefused()
    answerWith({ lie: () => ({ claims: {} }) })
    await assertRefused()
    answerWith({ lie: (claim) => ({ claims: { sea: { res: claim, req: claim } } }) })
    await assertRefused()
    answerWith({ lie: (claim) => ({ claims: { sea: { res: { ...claim, alg: 'HPKE-9' } } } }) })
    await assertRefused()
  })

  test('an envelope of another exchange, another kind or for another key', async () => {
    answerWith({ head: { bnd: encodeBase64url(randomBytes(32)) } })
    await assertRefused('answer-invalid', unopened)
    answerWith({ head: { typ: 'comity-request' } })
    await assertRefused('answer-invalid', unopened)
    answerWith({ head: { kid: `${network.recipient.did}#agree-unknown` } })
    await assertRefused('answer-invalid', unopened)
    let earlier: string | undefined
    answerWith({ change: (envelope) => (earlier ??= envelope) })
    assert.equal((await call()).status, 200)
    await assertRefused('answer-invalid', unopened)
  })

  test('an envelope that was cut off or altered', async () => {
    for (const change of [
      (envelope: string) => envelope.slice(0, -9),
      (envelope: string) => envelope.slice(0, envelope.length / 2),
      (envelope: string) => envelope.replace('.', '.AAAA'),
      (envelope: string) => `${envelope}.`,
    ]) {
      answerWith({ change })
      await assertRefused('answer-invalid')
    }
  })

  test('an answer by an algorithm that the request did not name, known or not', async () => {
    const unnamed = 'the answer is sealed in a way that the request did not name'
    answerWith({ algorithm: 'HPKE-9' })
    await assertRefused('answer-invalid', unnamed)
    const none = encodeBase64url(Buffer.from('{"alg":"none"}'))
    answerWith({ change: (envelope) => envelope.replace(/^[^.]+/, none) })
    await assertRefused('answer-invalid', unnamed)
  })

  test('an answer in clear, where this node demands sealed ones', async () => {
    liar.behave = (request, response) => write(response, liar.answer(request))
    await assertRefused('answer-unsealed')
    // An API's own error is content too.
    liar.behave = (request, response) => write(response, liar.answer(request, { status: 404 }))
    await assertRefused('answer-unsealed')
  })
})
