import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jwkThumbprint } from '../crypto/jwk.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { consentAuthorization, parseConsentAuthorization, parseConsentChain } from './consent-authorization.ts'
import { verifyConsentChain } from './consent-chain.ts'
import type { ConsentTokenClaims, VerifiedChain } from './consent-claims.ts'
import { signConsentToken } from './consent-token.ts'
import {
  archive,
  delegated,
  federation,
  height,
  heightOnly,
  lab,
  resigned,
  rootClaims,
  rootToken,
  statistics,
  testNow,
  threeLinks,
} from './test-chain.ts'
import { childIssuer } from './token-narrowing.ts'

const facts = { holder: federation.did, nowMs: (testNow + 20) * 1000, skewSeconds: 30 }

function verify(chain: string, changes: Partial<typeof facts> = {}): VerifiedChain {
  return verifyConsentChain(parseConsentChain(chain), federation.verifyingKey, { ...facts, ...changes })
}

function refuses(run: () => unknown, code: ProblemCode = 'consent-token-invalid', words?: RegExp): void {
  assert.throws(run, (error) => {
    assert(error instanceof Problem, String(error))
    assert.equal(error.code, code, error.message)
    if (words !== undefined) assert.match(error.message, words)
    return true
  })
}

/** A child of the root token, signed by the lab, with claims that minting would refuse. */
function forgedChild(changes: Partial<ConsentTokenClaims>): string {
  const honest = delegated()
  const [root = ''] = honest.split('~')
  const { claims } = parseConsentChain(honest).links[1]!
  return `${root}~${signConsentToken({ ...claims, ...changes }, { key: lab.key })}`
}

test('a root token is verified, and gives the key that its bearer must sign with', () => {
  const chain = verifyConsentChain(
    parseConsentAuthorization(consentAuthorization(rootToken())),
    federation.verifyingKey,
    facts,
  )
  assert.deepEqual(chain.root, rootClaims())
  assert.equal(chain.leaf, chain.root)
  assert.deepEqual(chain.children, [])
  assert.equal(chain.keyThumbprint, jwkThumbprint(lab.key.publicJwk))
  assert.equal(chain.expiresMs, (testNow + 330) * 1000)
})

test('a chain of three is verified with the holder key alone, over both algorithms', () => {
  const chain = verify(threeLinks())
  assert.deepEqual(
    chain.children.map(({ client_id, del_depth, consent }) => [client_id, del_depth, consent.delegation]),
    [
      [statistics.did, 1, 'd1'],
      [archive.did, 2, 'd2'],
    ],
  )
  assert.deepEqual(chain.leaf.authorization_details, [heightOnly])
  assert.equal(chain.keyThumbprint, jwkThumbprint(archive.key.publicJwk))
  assert.equal(chain.expiresMs, (testNow + 230) * 1000)
})

test('a token counts until its end and the skew, and not a millisecond longer', () => {
  const end = (testNow + 330) * 1000
  verify(rootToken(), { nowMs: end - 1 })
  refuses(() => verify(rootToken(), { nowMs: end }), 'consent-token-expired')
  refuses(() => verify(rootToken(), { nowMs: (testNow + 300) * 1000, skewSeconds: 0 }), 'consent-token-expired')
})

test('a chain ends with its first token that ends', () => {
  verify(delegated(), { nowMs: (testNow + 230) * 1000 - 1 })
  refuses(() => verify(delegated(), { nowMs: (testNow + 230) * 1000 }), 'consent-token-expired')
})

test('a token of the future counts within the skew only', () => {
  verify(rootToken(), { nowMs: (testNow - 30) * 1000 })
  refuses(() => verify(rootToken(), { nowMs: (testNow - 31) * 1000 }), 'consent-token-invalid', /future/)
})

test('refuses a token that lives longer than any may, or whose times contradict each other', () => {
  refuses(() => verify(rootToken({ exp: testNow + 301 })), 'consent-token-invalid', /too long/)
  refuses(() => verify(rootToken({ nbf: testNow - 1 })))
  refuses(() => verify(rootToken({ exp: testNow, nbf: testNow })))
})

test('refuses a root that another key signed', () => {
  refuses(() => verify(signConsentToken(rootClaims(), { keyid: federation.keyid, key: lab.key })), undefined, /verify/)
})

test('refuses a root whose key is not the issuer, or that names none', () => {
  refuses(() => verify(signConsentToken(rootClaims(), { keyid: lab.keyid, key: federation.key })), undefined, /key/)
  refuses(() => verify(signConsentToken(rootClaims(), { keyid: federation.did, key: federation.key })))
  refuses(() => verify(signConsentToken(rootClaims(), { key: federation.key })), undefined, /names no key/)
})

test('refuses a token of another issuer or for another holder', () => {
  refuses(() => verify(rootToken({ iss: lab.did })))
  refuses(() => verify(rootToken({ aud: lab.did })))
  refuses(() => verify(rootToken(), { holder: lab.did }))
})

test('refuses a delegation that stands at the place of the root', () => {
  refuses(() => verify(rootToken({ del_depth: 1 })), undefined, /is a delegation/)
  refuses(() => verify(rootToken({ par_hash: rootClaims().consent.hash })), undefined, /is a delegation/)
  refuses(() => verify(rootToken({ consent: { ...rootClaims().consent, delegation: 'd1' } })))
  refuses(() => verify(delegated().split('~')[1]!))
})

test('refuses any algorithm but that of the key: `none`, HMAC with the public key, another curve', () => {
  for (const alg of ['none', 'HS256', 'RS256', 'ES256', 'ES512']) {
    refuses(() => verify(resigned(rootToken(), federation.key, { header: { alg } })))
  }
  const [header = '', payload = ''] = rootToken().split('.')
  const none = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), alg: 'none' }))
  refuses(() => verify(`${none.toString('base64url')}.${payload}.`))
  refuses(() => verify(`${header}.${payload}.`))
})

test('never takes a key from the token', () => {
  const header = { jwk: lab.key.publicJwk, jku: 'https://lab.example/keys', x5u: 'https://lab.example/key.pem' }
  refuses(() => verify(resigned(rootToken(), lab.key, { header })))
})

test('refuses another `typ`: a receipt or an event is no token', () => {
  for (const typ of ['JWT', 'secevent+jwt', 'comity-receipt+jwt', 'at+jwt']) {
    refuses(() => verify(resigned(rootToken(), federation.key, { header: { typ } })))
  }
})

test('refuses header members that a reader must understand', () => {
  refuses(() => verify(resigned(rootToken(), federation.key, { header: { crit: ['exp'], exp: 1 } })))
  refuses(() => verify(resigned(rootToken(), federation.key, { header: { b64: false } })))
})

test('refuses an unknown member of a grant, and ignores an unknown claim', () => {
  const details = (member: object) => [{ ...wireDetail(), ...member }]
  verify(resigned(rootToken(), federation.key, { payload: { locale: 'de' } }))
  for (const member of [{ when: 'context.hour < 12' }, { except: [] }, { domains: ['sport'] }, { type: 'other' }]) {
    const payload = { authorization_details: details(member) }
    refuses(() => verify(resigned(rootToken(), federation.key, { payload })), undefined, /authorization_details/)
  }
})

test('refuses a grant for another place, none at all, and two of one id', () => {
  for (const authorization_details of [
    [{ ...wireDetail(), locations: [lab.did] }],
    [{ ...wireDetail(), locations: [federation.did, lab.did] }],
    [],
    ['g1'],
    [wireDetail(), wireDetail()],
  ]) {
    refuses(() => verify(resigned(rootToken(), federation.key, { payload: { authorization_details } })))
  }
})

function wireDetail(): object {
  const payload = JSON.parse(Buffer.from(rootToken().split('.')[1]!, 'base64url').toString())
  return payload.authorization_details[0]
}

test('a scope goes over the wire in the words of RFC 9396', () => {
  const { grant, effect, purposes, actions, products, domains, fields, onward } = height
  assert.deepEqual(wireDetail(), {
    type: 'urn:comity:consent:1',
    locations: [federation.did],
    datatypes: domains,
    grant,
    effect,
    purposes,
    actions,
    products,
    fields,
    onward,
  })
})

test('refuses a binding to anything but one public key', () => {
  for (const cnf of [
    {},
    { jkt: jwkThumbprint(lab.key.publicJwk) },
    { jwk: { kty: 'oct', k: 'AAAA' } },
    { jwk: { ...lab.key.publicJwk, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' } },
    { jwk: lab.key.publicJwk, jwe: '' },
  ]) {
    refuses(() => verify(resigned(rootToken(), federation.key, { payload: { cnf } })))
  }
})

test('refuses a child that another than its parent signed', () => {
  const [root = '', child = ''] = delegated().split('~')
  refuses(() => verify(`${root}~${resigned(child, archive.key, {})}`), undefined, /verify/)
  refuses(() => verify(`${root}~${resigned(child, federation.key, {})}`))
})

test('refuses a child that is bound to another key than was delegated to', () => {
  const [root = '', child = ''] = delegated().split('~')
  refuses(() =>
    verify(`${root}~${resigned(child, statistics.key, { payload: { cnf: { jwk: archive.key.publicJwk } } })}`),
  )
})

test('refuses children that were swapped, left out, or put below another root', () => {
  const [root = '', first = '', second = ''] = threeLinks().split('~')
  const other = rootToken({ jti: '01900000-0000-7000-8000-00000000000f' })
  refuses(() => verify(`${root}~${second}~${first}`))
  refuses(() => verify(`${root}~${second}`))
  refuses(() => verify(`${other}~${first}`), undefined, /par_hash/)
  refuses(() => verify(`${root}~${first}~${first}`))
  refuses(() => verify(`${first}~${second}`))
})

test('refuses a child that differs from its parent in what must be the same', () => {
  const { consent } = parseConsentChain(delegated()).links[1]!.claims
  const wrong: Partial<ConsentTokenClaims>[] = [
    { iss: federation.did },
    { iss: childIssuer(rootClaims({ cnf: { jwk: archive.key.publicJwk } })) },
    { sub: 'ps_n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
    { aud: lab.did },
    { consent: { ...consent, id: 'urn:uuid:01900000-0000-7000-8000-00000000ffff' } },
    { consent: { ...consent, rev: 2 } },
    { consent: { ...consent, hash: 'S9lKDr2bq4yZqFBhXxMsjXWrKlyWW5P9aOZ1JCXRCtE' } },
    { consent: { ...consent, delegation: undefined } },
    { acr: 'urn:example:high' },
    { amr: ['hwk'] },
    { auth_time: testNow },
    { par_hash: undefined },
    { par_hash: 'S9lKDr2bq4yZqFBhXxMsjXWrKlyWW5P9aOZ1JCXRCtE' },
  ]
  for (const changes of wrong) refuses(() => verify(forgedChild(changes)))
})

test('refuses a child that lives longer or began earlier than its parent', () => {
  refuses(() => verify(forgedChild({ exp: testNow + 301 })))
  refuses(() => verify(forgedChild({ iat: testNow - 1, nbf: testNow })))
  refuses(() => verify(forgedChild({ iat: testNow, nbf: testNow - 1 })))
})

test('refuses a depth that is not one more, a depth that may grow, and one over the limit', () => {
  refuses(() => verify(forgedChild({ del_depth: 0 })))
  refuses(() => verify(forgedChild({ del_depth: 2 })))
  refuses(() => verify(forgedChild({ del_max_depth: 3 })))
  const shallow = rootToken({ del_max_depth: 0 })
  const [, child = ''] = forgedChild({}).split('~')
  refuses(() => verify(`${shallow}~${child}`), undefined, /deeper/)
})

test('refuses a child with more than its parent: a grant, a field, an action, another participant', () => {
  refuses(() => verify(forgedChild({ authorization_details: [{ ...heightOnly, grant: 'g2' }] })), undefined, /among/)
  refuses(() => verify(forgedChild({ authorization_details: [{ ...heightOnly, fields: {} }] })), undefined, /fields/)
  refuses(() => verify(forgedChild({ authorization_details: [{ ...heightOnly, actions: ['write'] }] })))
  refuses(() => verify(forgedChild({ client_id: 'did:web:stranger.example' })), undefined, /passed on/)
})

test('a chain has one spelling', () => {
  const value = consentAuthorization(delegated())
  parseConsentAuthorization(value)
  for (const other of [
    value.replace('Comity ', 'comity '),
    value.replace('Comity ', 'Comity  '),
    ` ${value}`,
    `${value} `,
    `${value}~`,
    value.replace('~', '~~'),
    value.replace('~', ', '),
    value.replace('Comity ', ''),
    value.replace('Comity ', 'Bearer '),
    `${value}=`,
    'Comity ',
    '',
  ]) {
    refuses(() => parseConsentAuthorization(other))
  }
})

test('refuses more links and more characters than any chain has', () => {
  const [root = '', child = ''] = delegated().split('~')
  refuses(() => parseConsentChain([root, ...Array<string>(9).fill(child)].join('~')), undefined, /8 delegations|longer/)
  refuses(() => parseConsentChain('a'.repeat(12_289)), undefined, /longer/)
  refuses(() => parseConsentChain('~'.repeat(1000)), undefined, /8 delegations/)
})
