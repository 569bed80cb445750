/** Whatever a holder answers that is not its signed answer to this very request, nothing of it reaches the application:
 *  it reads why, and the recipient's log says that the exchange failed. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import type { ProblemCode } from '@comity/core/problems'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { selfSignedCertificate } from '../src/http/self-signed-certificate.ts'
import { startLyingHolder, write, type HeardRequest, type Lie, type LyingHolder } from './lying-holder.ts'
import { loggedExchange } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

/** Longer than an honest answer takes on a busy machine. */
const timeoutMs = 2_500
const strangerKey = importSigningKey(generatePrivateJwk('ed25519'))
const strangerDid = didKeyOf(strangerKey.publicJwk)
const stranger = { keyid: didKeyId(strangerDid), key: strangerKey }
const hash = 'A'.repeat(43)

describe('the application gets nothing of', () => {
  let network: TestNetwork
  let liar: LyingHolder
  before(async () => {
    network = await startTestNetwork({
      recipient: (config) => Object.assign(config['network'] as object, { timeoutMs }),
    })
    const agreementId = await network.agree()
    await call()
    liar = await startLyingHolder(network, agreementId)
  })
  after(async () => {
    await liar[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), {
      headers: { 'comity-purpose': testPurpose },
      redirect: 'manual',
    })

  async function assertRefused(
    behave: (request: HeardRequest, response: ServerResponse) => void,
    code: ProblemCode,
    status = 502,
  ): Promise<void> {
    liar.behave = behave
    const answer = await call()
    const text = await answer.text()
    assert.doesNotMatch(text, /planted/)
    const problem = JSON.parse(text) as { code: string; detail: string }
    assert.equal(problem.code, code, text)
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    for (const name of ['comity-receipt', 'etag', 'location', 'link'])
      assert.equal(answer.headers.get(name), null, name)
    const event = await loggedExchange(network.recipient, answer.headers.get('comity-exchange') ?? '')
    assert.deepEqual([event?.outcome, event?.problem, event?.peer], ['failed', code, network.holder.did])
    assert.deepEqual([event?.status, event?.responseHash, event?.receipt], [undefined, undefined, undefined])
  }

  const lies = (lie: Lie) => (request: HeardRequest, response: ServerResponse) =>
    write(response, liar.answer(request, lie))

  test('nothing but of lies: an honest answer by the same keys is handed on', async () => {
    liar.behave = lies({})
    const answer = await call()
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { id: 7, name: 'planted' })
  })

  test('an answer that is not signed, and is told its status and code as hearsay', async () => {
    await assertRefused((request, response) => {
      const { signature: _, 'signature-input': __, ...headers } = liar.answer(request).headers
      write(response, { status: 200, headers, body: '{"id":7,"name":"planted"}' })
    }, 'answer-unsigned')
    liar.behave = (_, response) => {
      const headers = { 'content-type': 'application/problem+json' }
      const body = '{"type":"urn:comity:problem:agreement-terminated","name":"planted"}'
      write(response, { status: 403, headers, body })
    }
    const problem = (await (await call()).json()) as { unverified: unknown; detail: string }
    assert.deepEqual(problem.unverified, { status: 403, code: 'agreement-terminated' })
    assert.match(problem.detail, /without proof, the partner says `agreement-terminated`$/)
  })

  test('an answer that somebody else signed, under its own name or the holder’s', async () => {
    await assertRefused(lies({ answerKey: stranger }), 'answer-invalid')
    const { keyid } = liar.keys.authentication
    const forged = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
    await assertRefused(lies({ answerKey: { keyid, key: forged } }), 'answer-invalid')
    await assertRefused(lies({ answerKey: { keyid, key: strangerKey } }), 'answer-invalid')
    await assertRefused(lies({ answerKey: { keyid: `${network.holder.did}#unknown`, key: forged } }), 'answer-invalid')
    await assertRefused(lies({ answerKey: liar.keys.assertion }), 'answer-invalid')
  })

  test('the answer to another request, though it was asked by the same node', async () => {
    const [first] = liar.heard as [HeardRequest]
    await assertRefused(lies({ request: first }), 'answer-invalid')
    const old = liar.answer(first)
    await assertRefused((_, response) => write(response, old), 'answer-invalid')
  })

  test('an answer of which anything was changed after signing', async () => {
    const changed =
      (change: (made: ReturnType<LyingHolder['answer']>) => Partial<ReturnType<LyingHolder['answer']>>) =>
      (request: HeardRequest, response: ServerResponse) => {
        const made = liar.answer(request)
        write(response, { ...made, ...change(made) })
      }
    await assertRefused(
      changed(() => ({ body: '{"id":7,"name":"planted 2"}' })),
      'answer-invalid',
    )
    await assertRefused(
      changed(() => ({ body: '' })),
      'answer-invalid',
    )
    await assertRefused(
      changed(() => ({ status: 201 })),
      'answer-invalid',
    )
    const other = (name: string, value: string) =>
      changed(({ headers }) => ({ headers: { ...headers, [name]: value } }))
    await assertRefused(other('content-type', 'text/planted'), 'answer-invalid')
    const receipt = liar.answer(liar.heard[0] as HeardRequest).headers['comity-receipt'] as string
    await assertRefused(other('comity-receipt', receipt), 'answer-invalid')
    const without = (name: string) =>
      changed(({ headers }) => ({
        headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)),
      }))
    await assertRefused(without('content-digest'), 'answer-invalid')
    await assertRefused(without('comity-receipt'), 'answer-invalid')
    await assertRefused(without('signature-input'), 'answer-unsigned')
  })

  test('a signed answer without a receipt, or with one that cannot be read', async () => {
    for (const receipt of [null, 'nonsense', 'a.b.c', '']) await assertRefused(lies({ receipt }), 'answer-invalid')
  })

  test('an answer with a status that does not exist', async () => {
    for (const status of [600, 999]) {
      for (const receipt of [undefined, null])
        await assertRefused(lies({ status, ...(receipt === null && { receipt }) }), 'answer-invalid')
    }
  })

  test('a receipt that somebody else signed', async () => {
    const { keyid } = liar.keys.assertion
    const forged = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
    await assertRefused(lies({ receiptKey: { keyid, key: forged } }), 'answer-invalid')
    await assertRefused(lies({ receiptKey: liar.keys.authentication }), 'answer-invalid')
    await assertRefused(lies({ receiptKey: stranger, claims: { iss: strangerDid } }), 'answer-unbound')
  })

  test('a receipt about anything but this request and this answer', async () => {
    const claims: readonly Lie['claims'][] = [
      { aud: strangerDid },
      { req: hash },
      { res: hash },
      { status: 201 },
      { prd: 'other-items' },
      { agr: 'urn:uuid:0190a7b0-0000-7000-8000-000000000009' },
      { agr: undefined },
      { pur: 'https://w3id.org/dpv#Marketing' },
      { pur: undefined },
      { log: 'elsewhere.example/log' },
      { key: '7Qm2xK9a' },
    ]
    for (const changed of claims) {
      await assertRefused(lies({ claims: changed as Partial<NonNullable<Lie['claims']>> }), 'answer-unbound')
    }
    // A refusal need not name them, but no others either.
    for (const changed of [{ agr: 'urn:uuid:0190a7b0-0000-7000-8000-000000000009' }, { pur: 'urn:marketing' }]) {
      await assertRefused(lies({ status: 404, claims: changed }), 'answer-unbound')
    }
    liar.behave = lies({ status: 404, claims: { agr: undefined, pur: undefined } as Lie['claims'] & {} })
    assert.equal((await call()).status, 404)
  })

  test('a redirect, which is not followed', async () => {
    let followed = 0
    const elsewhere = createServer((_, response) => void (followed++, response.end('{}'))).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/planted`
    await assertRefused((_, response) => void response.writeHead(302, { location }).end(), 'answer-unsigned')
    await assertRefused(lies({ status: 307, headers: { location }, body: '', receipt: null }), 'answer-invalid')
    assert.equal(followed, 0)
    // Signed, receipted and all: the application still learns no address to go to.
    liar.behave = lies({ status: 307, headers: { location }, body: '' })
    const redirected = await call()
    assert.deepEqual([redirected.status, redirected.headers.get('location')], [307, null])
    elsewhere.close()
  })

  test('an answer that does not come in time, or comes drop by drop', async () => {
    const startedMs = performance.now()
    await assertRefused(() => {}, 'partner-timeout', 504)
    await assertRefused(
      (request, response) => {
        response.writeHead(200, liar.answer(request).headers)
        const timer = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(timer))
      },
      'partner-timeout',
      504,
    )
    assert.ok(performance.now() - startedMs < 2 * timeoutMs + 30_000)
  })

  test('an answer that is larger than any answer may be, or has too much of a head', async () => {
    await assertRefused((request, response) => {
      response.writeHead(200, { ...liar.answer(request).headers, 'content-length': 65 * 2 ** 20 }).write('planted')
    }, 'answer-invalid')
    await assertRefused((request, response) => {
      response.writeHead(200, { ...liar.answer(request).headers, 'x-more': 'planted '.repeat(10_000) }).end()
    }, 'answer-invalid')
  })

  test('an answer that breaks off, and the call is tried again while there is time', async () => {
    const heardBefore = liar.heard.length
    await assertRefused((request, response) => {
      response.writeHead(200, { ...liar.answer(request).headers, 'content-length': 1_000 })
      response.write('{"id":7,"name":"planted"}', () => response.destroy())
    }, 'partner-unreachable')
    assert.ok(liar.heard.length - heardBefore > 1)
  })

  test('a server at the right address with another TLS key, which is not even sent the request', async () => {
    const made = await selfSignedCertificate({
      hostname: 'localhost',
      jwk: { ...generatePrivateJwk('ecdsa-p256-sha256') },
      nowMs: Date.now(),
      randomBytes: pooledRandomBytes(),
    })
    liar.useTls(made)
    const heardBefore = liar.heard.length
    await assertRefused(lies({}), 'tls-untrusted')
    assert.equal(liar.heard.length, heardBefore)
  })
})
