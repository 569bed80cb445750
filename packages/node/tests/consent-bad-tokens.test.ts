/** Tokens and chains that somebody forged, stretched, re-bound or found, sent over the wire under a good signature: each is
 *  refused with the code that it deserves, and the API behind is never asked. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { parentHash } from '@comity/core/consent-token/consent-chain'
import { childIssuer } from '@comity/core/consent-token/token-narrowing'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import {
  callOverWire,
  callerKey,
  chainOf,
  codeOf,
  forge,
  holderForging,
  payloadOf,
  problemOf,
  type WireCall,
} from './consent-chains.ts'
import { consented, passOn, startConsentNetwork, type ConsentNetwork } from './consent-network.ts'
import { otherReference } from './personal-upstream.ts'

type Payload = ReturnType<typeof payloadOf>

const strangerKey = importSigningKey(generatePrivateJwk('ed25519'))
const strangerDid = didKeyOf(strangerKey.publicJwk)
const asStranger = { keyid: didKeyId(strangerDid), key: strangerKey }

describe('of tokens over the wire', () => {
  let network: ConsentNetwork
  let id: string
  /** The recipient's, and the delegate's whole chain. */
  let chain: string
  let passed: string
  before(async () => {
    network = await startConsentNetwork()
    id = await consented(network)
    const delegation = await passOn(network, id, { onward: { allow: 'any', maxDepth: 2 } })
    chain = await chainOf(network.recipient, id)
    passed = await chainOf(network.delegate, delegation)
  })
  after(() => network[Symbol.asyncDispose]())
  beforeEach(() => (network.api.called.length = 0))

  async function refused(call: WireCall, code: string): Promise<void> {
    const answer = await callOverWire(network, call)
    assert.equal(codeOf(answer), code, answer.body.toString('utf8'))
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    assert.ok(typeof problemOf(answer)['remedy'] === 'string')
    assert.deepEqual(network.api.called, [])
  }

  /** The recipient's token with changes, signed by the holder itself. */
  const changed = (change: (payload: Payload) => object) => forge(change(payloadOf(chain)), holderForging(network))
  const detail = (members: object) =>
    changed((claims) => ({ ...claims, authorization_details: [{ ...claims.authorization_details[0], ...members }] }))
  /** The delegate's own token with changes, signed by the recipient as the first was. */
  const child = (change: (payload: Payload) => object, key = callerKey(network.recipient).key) => {
    const [root = ''] = passed.split('~')
    return `${root}~${forge(change(payloadOf(passed)), { key })}`
  }

  test('the good ones are answered', async () => {
    assert.equal(codeOf(await callOverWire(network, { chain })), '200')
    assert.equal(codeOf(await callOverWire(network, { chain: passed, by: network.delegate })), '200')
    assert.equal(codeOf(await callOverWire(network, { chain: changed((claims) => claims) })), '200')
    assert.equal(codeOf(await callOverWire(network, { chain: child((claims) => claims), by: network.delegate })), '200')
  })

  test('a forged one is invalid, whoever signed it', async () => {
    const { kid = '' } = holderForging(network)
    const payload = payloadOf(chain)
    const { keyid, key } = callerKey(network.recipient)
    await refused({ chain: forge(payload, { key: strangerKey, kid }) }, 'consent-token-invalid')
    await refused({ chain: forge(payload, { key, kid: keyid }) }, 'consent-token-invalid')
    await refused(
      { chain: forge({ ...payload, iss: network.recipient.did }, { key, kid: keyid }) },
      'consent-token-invalid',
    )
    await refused(
      { chain: forge({ ...payload, iss: strangerDid }, { key: strangerKey, kid: asStranger.keyid }) },
      'consent-token-invalid',
    )
    await refused({ chain: forge(payload, { key: strangerKey }) }, 'consent-token-invalid')
    await refused({ chain: forge(payload, { ...holderForging(network), kid: `${kid}x` }) }, 'consent-token-invalid')
    await refused({ chain: forge(payload, { ...holderForging(network), typ: 'JWT' }) }, 'consent-token-invalid')
    const [header = '', , signature = ''] = chain.split('.')
    const body = Buffer.from(JSON.stringify({ ...payload, sub: 'ps_other' })).toString('base64url')
    await refused({ chain: `${header}.${body}.${signature}` }, 'consent-token-invalid')
    const none = Buffer.from('{"alg":"none","typ":"comity-consent+jwt"}').toString('base64url')
    await refused({ chain: `${none}.${chain.split('.')[1]}.` }, 'consent-token-invalid')
    await refused({ authorization: 'Comity' }, 'consent-required')
    for (const spelled of [
      'x',
      '~',
      `${chain}~`,
      `~${chain}`,
      `${chain}=`,
      ` ${chain}`,
      `${chain}~${chain}`,
      'x'.repeat(12_300),
    ])
      await refused({ authorization: `Comity ${spelled}` }, 'consent-token-invalid')
  })

  test('an expired one is expired, one of the future or of a long life invalid', async () => {
    const now = Math.floor(network.clock.now() / 1_000)
    await refused(
      { chain: changed((claims) => ({ ...claims, iat: now - 400, nbf: now - 400, exp: now - 101 })) },
      'consent-token-expired',
    )
    await refused(
      { chain: changed((claims) => ({ ...claims, iat: now + 100, nbf: now + 100, exp: now + 200 })) },
      'consent-token-invalid',
    )
    await refused({ chain: changed((claims) => ({ ...claims, exp: claims.iat + 301 })) }, 'consent-token-invalid')
    await refused({ chain: changed((claims) => ({ ...claims, exp: claims.iat - 1 })) }, 'consent-token-invalid')
    const by = network.delegate
    await refused(
      { by, chain: child((claims) => ({ ...claims, exp: now - 40, iat: claims.iat, nbf: claims.nbf })) },
      now - 40 > payloadOf(passed).nbf ? 'consent-token-expired' : 'consent-token-invalid',
    )
    await refused({ by, chain: child((claims) => ({ ...claims, exp: claims.exp + 200 })) }, 'consent-token-invalid')
  })

  test('one that is bound to another is as good as none', async () => {
    await refused({ chain, by: network.delegate }, 'agreement-required')
    await refused({ chain: passed }, 'consent-required')
    await refused({ chain, as: asStranger }, 'agreement-required')
    // Its own key in the place of the bound one: then it is not the recipient's token.
    const cnf = { jwk: strangerKey.publicJwk }
    await refused({ chain: changed((claims) => ({ ...claims, cnf })) }, 'consent-required')
    await refused(
      { chain: changed((claims) => ({ ...claims, cnf, client_id: strangerDid })), as: asStranger },
      'agreement-required',
    )
    await refused({ chain: child((claims) => ({ ...claims, cnf })), by: network.delegate }, 'consent-required')
    await refused(
      { chain: child((claims) => ({ ...claims, client_id: network.recipient.did })), by: network.delegate },
      'consent-required',
    )
    await refused({ chain: changed((claims) => ({ ...claims, cnf: undefined })) }, 'consent-token-invalid')
    await refused(
      { chain: changed((claims) => ({ ...claims, cnf: { jkt: jwkThumbprint(strangerKey.publicJwk) } })) },
      'consent-token-invalid',
    )
  })

  test('one for another audience, of another holder, or about another person is refused', async () => {
    await refused({ chain: changed((claims) => ({ ...claims, aud: network.recipient.did })) }, 'consent-token-invalid')
    await refused({ chain: changed((claims) => ({ ...claims, aud: [claims.aud] })) }, 'consent-token-invalid')
    await refused({ chain: changed((claims) => ({ ...claims, iss: network.delegate.did })) }, 'consent-token-invalid')
    const sub = network.holder.running.parts.foundation.vault.pairwise(otherReference, network.recipient.did)
    await refused(
      { chain: changed((claims) => ({ ...claims, sub })), path: `/x/athletes/athletes/${otherReference}` },
      'consent-required',
    )
    await refused({ chain, path: `/x/athletes/athletes/${otherReference}` }, 'consent-required')
  })

  test('one of another record, revision or hash is refused', async () => {
    const consent = (members: object) =>
      changed((claims) => ({ ...claims, consent: { ...claims.consent, ...members } }))
    await refused({ chain: consent({ hash: 'A'.repeat(43) }) }, 'consent-superseded')
    await refused({ chain: consent({ rev: 2 }) }, 'consent-superseded')
    await refused({ chain: consent({ id: 'urn:uuid:0190a7f0-0000-7000-8000-000000000000' }) }, 'consent-required')
    await refused({ chain: consent({ rev: 0 }) }, 'consent-token-invalid')
    await refused({ chain: consent({ delegation: 'd1' }) }, 'consent-token-invalid')
    await refused({ chain: consent({ more: 1 }) }, 'consent-token-invalid')
    const by = network.delegate
    const other = child((claims) => ({ ...claims, consent: { ...claims.consent, hash: 'A'.repeat(43) } }))
    await refused({ by, chain: other }, 'consent-token-invalid')
  })

  test('an unknown member of what is allowed is refused, since nobody would enforce it', async () => {
    for (const members of [
      { weekdays: ['monday'] },
      { fields: { only: ['height'] } },
      { type: 'urn:other' },
      { effect: 'maybe' },
    ])
      await refused({ chain: detail(members) }, 'consent-token-invalid')
    await refused(
      {
        by: network.delegate,
        chain: child((claims) => ({
          ...claims,
          authorization_details: [{ ...claims.authorization_details[0], limit: 1 }],
        })),
      },
      'consent-token-invalid',
    )
    assert.equal(codeOf(await callOverWire(network, { chain: changed((claims) => ({ ...claims, more: 1 })) })), '200')
  })

  test('a child that allows more than its parent is invalid, in every member', async () => {
    const by = network.delegate
    const wider = (members: object) =>
      child((claims) => ({ ...claims, authorization_details: [{ ...claims.authorization_details[0], ...members }] }))
    for (const members of [
      { actions: ['read', 'write'] },
      { purpose: ['https://w3id.org/dpv#Marketing'] },
      { purposes: ['https://w3id.org/dpv#Marketing'] },
      { products: ['athletes', 'results'] },
      { datatypes: ['identity', 'sport.body', 'sport.notes'] },
      { domains: ['sport'] },
      { retention: { onWithdrawal: 'retainLegal' } },
      { onward: { allow: 'any', maxDepth: 7 } },
      { grant: 'g2' },
      { locations: ['https://evil.example'] },
    ])
      await refused({ by, chain: wider(members) }, 'consent-token-invalid')
    await refused({ by, chain: child((claims) => ({ ...claims, sub: 'ps_other' })) }, 'consent-token-invalid')
    await refused(
      { by, chain: child((claims) => ({ ...claims, iss: network.recipient.did })) },
      'consent-token-invalid',
    )
    await refused({ by, chain: child((claims) => ({ ...claims, par_hash: 'A'.repeat(43) })) }, 'consent-token-invalid')
    await refused({ by, chain: child((claims) => claims, strangerKey) }, 'consent-token-invalid')
    await refused({ by, chain: child((claims) => claims, callerKey(network.delegate).key) }, 'consent-token-invalid')
  })

  test('a chain that is deeper than was allowed is refused, however well it is signed', async () => {
    const scopes = parseConsentChain(passed).links.at(-1)?.claims.authorization_details ?? []
    const now = Math.floor(network.clock.now() / 1_000)
    const terms = {
      delegate: { did: strangerDid, jwk: strangerKey.publicJwk },
      createdAt: now,
      expiresAt: payloadOf(passed).exp,
      jti: 'j',
    }
    const third = scopes.map((scope) => ({ ...scope, onward: { allow: 'none' as const } }))
    const deep = mintDelegation(
      { ...terms, parent: passed, delegation: 'd2', scopes: third },
      callerKey(network.delegate),
    )
    assert.equal(codeOf(await callOverWire(network, { chain: deep, as: asStranger })), '200', 'as deep as was allowed')
    network.api.called.length = 0
    assert.throws(() =>
      mintDelegation({ ...terms, parent: deep, delegation: 'd3', scopes: third }, { key: strangerKey }),
    )
    const last = payloadOf(deep)
    const parent = parseConsentChain(deep).links.at(-1)
    assert.ok(parent)
    const deeper = { ...last, iss: childIssuer(parent.claims), par_hash: parentHash(parent), del_depth: 3 }
    const chains = [
      `${deep}~${forge(deeper, { key: strangerKey })}`,
      `${deep}~${forge({ ...deeper, del_max_depth: 9 }, { key: strangerKey })}`,
      `${deep}~${forge({ ...deeper, del_depth: 2 }, { key: strangerKey })}`,
    ]
    for (const one of chains) await refused({ chain: one, as: asStranger }, 'consent-token-invalid')
    const endless = `${chain}${`~${forge(deeper, { key: strangerKey })}`.repeat(9)}`
    await refused({ chain: endless, as: asStranger }, 'consent-token-invalid')
  })

  test('a child whose status is not to be had, is of another or is set, is not believed', async () => {
    const by = network.delegate
    const status = (uri: string, idx = 3) => child((claims) => ({ ...claims, status: { status_list: { uri, idx } } }))
    await refused({ by, chain: status('https://127.0.0.1:1/status/1') }, 'status-unavailable')
    await refused({ by, chain: status('http://169.254.169.254/status/1') }, 'status-unavailable')
    const heard: string[] = []
    const elsewhere = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    elsewhere.on('connection', () => void heard.push('a call'))
    await once(elsewhere, 'listening')
    const { port } = elsewhere.address() as AddressInfo
    await refused({ by, chain: status(`https://localhost:${port}/status/1`) }, 'status-unavailable')
    elsewhere.close()
    assert.deepEqual(heard, [], 'no server is called that the delegator does not run')
    const own = network.recipient.running.parts.consent.statusLists
    const { entry, statement } = await own.allocate()
    const { database } = network.recipient.running.parts.foundation
    await database.execute([statement, own.set(entry, 'invalid')].flat())
    await refused({ by, chain: status(entry.uri, entry.idx) }, 'consent-inactive')
  })
})
