/** Keys, signatures and hostile inputs that every implementation of `CryptoProvider` is tested with. */
import { decodeHex } from '../bytes/hex.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import type { PrivateJwk } from './crypto.ts'

/** RFC 8032 §7.1, test 1 (the key of RFC 8037 appendix A). */
export const ed25519Jwk: PrivateJwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
}

/** RFC 8032 §7.1, test 1: the signature over the empty message. */
export const ed25519EmptySignature = decodeHex(
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
)

/** RFC 6979 appendix A.2.5. */
export const p256Jwk: PrivateJwk = {
  kty: 'EC',
  crv: 'P-256',
  x: fromHex('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6'),
  y: fromHex('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299'),
  d: fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'),
}

/** RFC 6979 appendix A.2.5: the signature over `sample` with SHA-256. */
export const p256SampleSignature = decodeHex(
  'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
)

/** The order of P-256's group. */
export const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** The order of Ed25519's prime-order subgroup (L of RFC 8032). */
export const ed25519Order = 2n ** 252n + 27742317777372353535851937790883648493n

/** 32 bytes, big-endian. */
export function bytes32(value: bigint): Uint8Array {
  return decodeHex(value.toString(16).padStart(64, '0'))
}

const { d: _ed25519Seed, ...ed25519Public } = ed25519Jwk
const { d: _p256Scalar, ...p256Public } = p256Jwk

/** Encodings of Ed25519 points of small order and of y ≥ p, little-endian, with both signs of x. */
const degeneratePoints = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]

/** Public keys that are none, each with the reason. */
export const malformedPublicKeys: readonly (readonly [reason: string, jwk: unknown])[] = [
  ['null', null],
  ['a string', 'key'],
  ['an array', [p256Public]],
  ['nothing in it', {}],
  ['RSA', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
  ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
  ['another curve of EC', { ...p256Public, crv: 'secp256k1' }],
  ['another curve of OKP', { ...ed25519Public, crv: 'X25519' }],
  ['the key type of the other curve', { ...p256Public, kty: 'OKP' }],
  ['the kty in lower case', { ...p256Public, kty: 'ec' }],
  ['a private key', p256Jwk],
  ['a private Ed25519 key', ed25519Jwk],
  ['a key for encryption', { ...p256Public, use: 'enc' }],
  ['a key for signing only', { ...p256Public, key_ops: ['sign'] }],
  ['no y', { kty: 'EC', crv: 'P-256', x: p256Public.x }],
  ['y on the other side of nowhere', { ...p256Public, y: p256Public.x }],
  ['a number for x', { ...p256Public, x: 1 }],
  ['x cut short', { ...p256Public, x: p256Public.x.slice(1) }],
  ['x padded', { ...ed25519Public, x: `${ed25519Public.x}=` }],
  ['x too long', { ...ed25519Public, x: encodeBase64url(new Uint8Array(33)) }],
  ['stray bits at the end of x', { ...ed25519Public, x: `${ed25519Public.x.slice(0, -1)}p` }],
  ['base64 instead of base64url', { ...ed25519Public, x: ed25519Public.x.replace('_', '/') }],
  [
    'the point at infinity as zeros',
    { ...p256Public, x: encodeBase64url(new Uint8Array(32)), y: encodeBase64url(new Uint8Array(32)) },
  ],
  ['x beyond the prime', { ...p256Public, x: fromHex('f'.repeat(64)) }],
  ['y that is no point of Ed25519', { ...ed25519Public, x: fromHex('02'.padEnd(64, '0')) }],
  ...degeneratePoints.map(
    (hex) =>
      [`the degenerate point ${hex.slice(0, 4)}…${hex.slice(-2)}`, { ...ed25519Public, x: fromHex(hex) }] as const,
  ),
]

/** Private keys that are none, each with the reason. */
export const malformedPrivateKeys: readonly (readonly [reason: string, jwk: unknown])[] = [
  ['no d', ed25519Public],
  ['d of another Ed25519 key', { ...ed25519Jwk, d: p256Jwk.d }],
  ['d of another P-256 key', { ...p256Jwk, d: ed25519Jwk.d }],
  ['d zero', { ...p256Jwk, d: encodeBase64url(new Uint8Array(32)) }],
  ['d the order of the group', { ...p256Jwk, d: encodeBase64url(bytes32(p256Order)) }],
  ['d cut short', { ...p256Jwk, d: p256Jwk.d.slice(2) }],
  ['x off the curve', { ...p256Jwk, x: fromHex('0'.repeat(64)) }],
]

function fromHex(hex: string): string {
  return encodeBase64url(decodeHex(hex))
}
