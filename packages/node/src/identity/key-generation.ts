/** Makes the node's keys: fresh ones at `comity init`, successors at a rotation. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { generatePrivateJwk, sha256Text } from '@comity/core/crypto/crypto-node'
import type { PublicJwk, SignatureAlgorithm } from '@comity/core/crypto/crypto'
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import { didKeyOf } from '@comity/core/identity/did-key'
import type { RandomBytes } from '@comity/core/ports'
import { selfSignedCertificate } from '../http/self-signed-certificate.ts'
import { keyPurposes, type KeyPurpose, type NodeKey } from './node-keys.ts'

export interface KeyRequest {
  readonly purpose: KeyPurpose
  readonly nowMs: number
  readonly activeAtMs: number
  /** Of the node's public URL; stands in the TLS certificate. */
  readonly hostname: string
  readonly randomBytes: RandomBytes
  /** Of the keys that sign requests, receipts and agreements; P-256 unless told. */
  readonly algorithm?: SignatureAlgorithm | undefined
}

const idPrefixes: Readonly<Record<KeyPurpose, string>> = {
  authentication: 'auth',
  assertionMethod: 'assert',
  keyAgreement: 'agree',
  hybridKeyAgreement: 'agree-hybrid',
  tls: 'tls',
  log: 'log',
}

/** Of the purposes whose algorithm is not a choice: TLS 1.3 clients take P-256 everywhere, and notes of the log are
 *  Ed25519 by their specification. */
const fixedAlgorithms: Readonly<Partial<Record<KeyPurpose, SignatureAlgorithm>>> = {
  tls: 'ecdsa-p256-sha256',
  log: 'ed25519',
}

function signatureAlgorithm({ purpose, algorithm = 'ecdsa-p256-sha256' }: KeyRequest): SignatureAlgorithm {
  return fixedAlgorithms[purpose] ?? algorithm
}

/** A fresh key. Its id is its purpose and the start of its thumbprint: `auth-6mM3kKQe1x0b`. */
export async function generateNodeKey(request: KeyRequest): Promise<NodeKey> {
  const { purpose, nowMs, activeAtMs } = request
  const jwk = generateJwk(request)
  const id = `${idPrefixes[purpose]}-${thumbprintOf(jwk).slice(0, 12)}`
  const key = { id, purpose, jwk, createdAtMs: nowMs, activeAtMs }
  if (purpose !== 'tls') return key
  const { cert } = await selfSignedCertificate({ ...request, jwk: jwk as JsonWebKey })
  return { ...key, certificate: cert }
}

/** Keys of a new participant are active since ever, so that a clock which is set back a little locks nobody out. */
const sinceEver = 0

/** All keys of a new did:web participant, active at once. */
export async function generateWebKeys(request: Omit<KeyRequest, 'purpose' | 'activeAtMs'>): Promise<NodeKey[]> {
  const purposes = keyPurposes
  return Promise.all(purposes.map((purpose) => generateNodeKey({ ...request, purpose, activeAtMs: sinceEver })))
}

/** All keys of a new did:key participant: one key is the identity and signs everything; TLS and log have their own. */
export async function generateDidKeyKeys(
  request: Omit<KeyRequest, 'purpose' | 'activeAtMs'>,
): Promise<{ did: string; keys: NodeKey[] }> {
  const { d, ...publicJwk } = generatePrivateJwk(request.algorithm ?? 'ecdsa-p256-sha256')
  const did = didKeyOf(publicJwk as PublicJwk)
  const identity = {
    id: did.slice('did:key:'.length),
    jwk: { ...publicJwk, d } as NodeKey['jwk'],
    createdAtMs: request.nowMs,
    activeAtMs: sinceEver,
  }
  const others = (['tls', 'log'] as const).map((purpose) =>
    generateNodeKey({ ...request, purpose, activeAtMs: sinceEver }),
  )
  const keys: NodeKey[] = [
    { ...identity, purpose: 'authentication' },
    { ...identity, purpose: 'assertionMethod' },
    ...(await Promise.all(others)),
  ]
  return { did, keys }
}

function generateX25519(): NodeKey['jwk'] {
  const { x = '', d = '' } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' })
  return { kty: 'OKP', crv: 'X25519', x, d }
}

/** The hybrid key: its seed is what is kept, and both of its parts follow from it (X-Wing §5.2). */
function generateHybrid(randomBytes: RandomBytes): NodeKey['jwk'] {
  const seed = randomBytes(32)
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest()
  const mlkem = rawPublic(Buffer.concat([mlkemSeedDer, expanded.subarray(0, 64)]), 1184)
  const point = rawPublic(Buffer.concat([x25519Der, expanded.subarray(64)]), 32)
  return { kty: 'AKP', alg: 'HPKE-9', pub: encodeBase64url(Buffer.concat([mlkem, point])), priv: encodeBase64url(seed) }
}

/** DER (PKCS #8) up to the secret bytes: of an ML-KEM-768 seed (RFC 9935) and an X25519 scalar (RFC 8410). */
const mlkemSeedDer = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')
const x25519Der = Buffer.from('302e020100300506032b656e04220420', 'hex')

function rawPublic(pkcs8: Buffer, bytes: number): Buffer {
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  return key.export({ format: 'der', type: 'spki' }).subarray(-bytes)
}

function generateJwk(request: KeyRequest): NodeKey['jwk'] {
  if (request.purpose === 'keyAgreement') return generateX25519()
  if (request.purpose === 'hybridKeyAgreement') return generateHybrid(request.randomBytes)
  return generatePrivateJwk(signatureAlgorithm(request))
}

/** RFC 7638: the same members for every OKP key, X25519 included; of an AKP key `alg`, `kty` and `pub`. */
function thumbprintOf(jwk: NodeKey['jwk']): string {
  if (jwk.kty !== 'AKP') return jwkThumbprint(jwk as PublicJwk)
  return sha256Text(JSON.stringify({ alg: jwk.alg, kty: jwk.kty, pub: jwk.pub }), 'base64url')
}
