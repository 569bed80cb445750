/** Made-up participants and chains for tests: a federation holds data, a lab reads it, a statistics firm and an archive
 *  get parts of it. Keys are fixed, so that what tests make can be compared. */
import { importSigningKey, importVerifyingKey } from '#crypto'
import type { ConsentScope } from '../consent/consent-scope.ts'
import type { PrivateJwk, SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { decodeBase64url, encodeBase64url, encodeBase64urlText } from '../bytes/base64url.ts'
import { utf8Text } from '../bytes/utf8.ts'
import type { ConsentTokenClaims } from './consent-claims.ts'
import { signConsentToken } from './consent-token.ts'
import { mintDelegation, type DelegationTerms } from './delegation.ts'

export interface TestParticipant {
  readonly did: string
  readonly keyid: string
  readonly key: SigningKey
  readonly verifyingKey: VerifyingKey
}

export const testNow = 1_718_000_000

// Made up for these tests.
export const federation = participant('federation.example', {
  kty: 'OKP',
  crv: 'Ed25519',
  x: 'jXAH-eblDztXrRRVTCeJo9T1OCoo37SN6yLBwdD4thE',
  d: 'eV7zof7oUO19psIngLHzJhOsCPAxzdhAc3ub8Iaao4o',
})
export const lab = participant('lab.example', {
  kty: 'OKP',
  crv: 'Ed25519',
  x: 'pZO2cCUXvwj5awXk8z_ocpTESkjtloO3L8laz_7fVBY',
  d: '_-86kIs9UVOXh8i7Y-9TOzaEjjzF_GncCe3OZlwl26k',
})
export const statistics = participant('statistics.example', {
  kty: 'EC',
  crv: 'P-256',
  x: 'N1L6PrvBA9G3ve0F0T41szb-RgI0RuRVbP3ezhDZtCE',
  y: 'DHV9jELGfoyvAN99W1wCADqln6uW5OxkB7JVZDJa7hc',
  d: 'Jr0pbjJ49JC-YrKZi3khqVUKpeZnDBOwDIGLp9uoNf8',
})
export const archive = participant('archive.example', {
  kty: 'OKP',
  crv: 'Ed25519',
  x: 'G8f-LpHuBcahPnctv9Xn6Gbql-T_MxroMgQ_vUUwa94',
  d: '6_TaQO7kOCsLROUcVM87KtIUWTRyU3cA826WKlr9GQI',
})

function participant(host: string, jwk: PrivateJwk): TestParticipant {
  const key = importSigningKey(jwk)
  const did = `did:web:${host}`
  return { did, keyid: `${did}#key-1`, key, verifyingKey: importVerifyingKey(key.publicJwk) }
}

export const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
export const height: ConsentScope = {
  grant: 'g1',
  effect: 'permit',
  purposes: [research],
  actions: ['read', 'query'],
  products: ['athletes'],
  domains: ['sport.body', 'sport.results'],
  fields: { include: ['height', 'results[]'], exclude: ['results[].doctor'] },
  onward: { allow: 'listed', recipients: [statistics.did, archive.did], maxDepth: 2 },
}
export const heightOnly: ConsentScope = {
  ...height,
  actions: ['read'],
  domains: ['sport.body'],
  fields: { include: ['height'], exclude: ['results[].doctor'] },
}

/** Claims of a token that the federation gives the lab, with what a test wants to be different. */
export function rootClaims(changes: Partial<ConsentTokenClaims> = {}): ConsentTokenClaims {
  return {
    iss: federation.did,
    sub: 'ps_S9lKDr2bq4yZqFBhXxMsjXWrKlyWW5P9aOZ1JCXRCtE',
    aud: federation.did,
    client_id: lab.did,
    iat: testNow,
    nbf: testNow,
    exp: testNow + 300,
    jti: '01900000-0000-7000-8000-000000000001',
    cnf: { jwk: lab.key.publicJwk },
    consent: {
      id: 'urn:uuid:01900000-0000-7000-8000-00000000c0de',
      rev: 1,
      hash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    },
    authorization_details: [height],
    status: { status_list: { idx: 4711, uri: 'https://federation.example/status/1' } },
    del_depth: 0,
    del_max_depth: 2,
    ...changes,
  }
}

export function rootToken(changes: Partial<ConsentTokenClaims> = {}): string {
  return signConsentToken(rootClaims(changes), federation)
}

/** A chain with one more link, from the lab to the statistics firm unless the test says otherwise. */
export function delegated(changes: Partial<DelegationTerms> = {}, from: TestParticipant = lab): string {
  const terms: DelegationTerms = {
    parent: rootToken(),
    delegate: { did: statistics.did, jwk: statistics.key.publicJwk },
    delegation: 'd1',
    scopes: [heightOnly],
    createdAt: testNow + 10,
    expiresAt: testNow + 200,
    jti: '01900000-0000-7000-8000-000000000002',
    ...changes,
  }
  return mintDelegation(terms, from)
}

/** The chain from the federation over the lab and the statistics firm to the archive. */
export function threeLinks(): string {
  const delegate = { did: archive.did, jwk: archive.key.publicJwk }
  const jti = '01900000-0000-7000-8000-000000000003'
  return delegated({ parent: delegated(), delegate, delegation: 'd2', jti }, statistics)
}

/** The JWS with other header and payload members, signed by the key, whatever that makes of it. */
export function resigned(
  token: string,
  key: SigningKey,
  change: { readonly header?: object | undefined; readonly payload?: object | undefined },
): string {
  const [header = '', payload = ''] = token.split('.')
  const input = `${changed(header, change.header)}.${changed(payload, change.payload)}`
  return `${input}.${encodeBase64url(key.sign(input))}`
}

function changed(part: string, members: object | undefined): string {
  if (members === undefined) return part
  return encodeBase64urlText(JSON.stringify({ ...JSON.parse(utf8Text(decodeBase64url(part))), ...members }))
}
