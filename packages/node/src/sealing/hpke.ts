/** HPKE (RFC 9180, draft-ietf-hpke-hpke) as sealing needs it: base mode, one message, on the primitives of
 *  `node:crypto`. The key schedule only; keys are agreed in `key-encapsulation.ts`. */
import { createCipheriv, createDecipheriv, createHash, createHmac, type CipherGCMTypes } from 'node:crypto'

/** A cipher suite by its numbers in the registries of HPKE. */
export interface HpkeSuite {
  readonly kemId: number
  /** `sha256`: HKDF-SHA256 in two stages (RFC 9180 §5.1). `shake256`: one stage (draft-ietf-hpke-hpke §5.1). */
  readonly kdf: 'sha256' | 'shake256'
  /** ChaCha20-Poly1305 is in no algorithm here, but in the published examples of the hybrid key. */
  readonly aead: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'
}

/** What is sealed with one key: the content, and what is authenticated with it. */
export interface HpkeMessage {
  readonly aad: Uint8Array
  readonly info?: Uint8Array
}

/** HPKE-3 of JOSE: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM; the suite of RFC 9180 A.1. */
export const hpkeX25519: HpkeSuite = { kemId: 0x0020, kdf: 'sha256', aead: 'aes-128-gcm' }
/** HPKE-9 of JOSE: MLKEM768-X25519, SHAKE256, AES-256-GCM. */
export const hpkeHybrid: HpkeSuite = { kemId: 0x647a, kdf: 'shake256', aead: 'aes-256-gcm' }

const kdfIds = { sha256: 0x0001, shake256: 0x0011 }
const aeadIds = { 'aes-128-gcm': 0x0001, 'aes-256-gcm': 0x0002, 'chacha20-poly1305': 0x0003 }
const keyBytes = { 'aes-128-gcm': 16, 'aes-256-gcm': 32, 'chacha20-poly1305': 32 }
const nonceBytes = 12
const tagBytes = 16
const secretBytes = { sha256: 32, shake256: 64 }
const version = Buffer.from('HPKE-v1')
const none = Buffer.alloc(0)
const baseMode = Buffer.of(0)

/** Content and tag under a key that was just agreed. */
export function hpkeSeal(
  suite: HpkeSuite,
  sharedSecret: Uint8Array,
  message: HpkeMessage & { readonly plaintext: Uint8Array },
): Buffer {
  const { key, nonce } = schedule(suite, sharedSecret, message.info ?? none)
  const cipher = createCipheriv(suite.aead as CipherGCMTypes, key, nonce)
  cipher.setAAD(message.aad)
  return Buffer.concat([cipher.update(message.plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The content. Throws when key, content or what was authenticated is another. */
export function hpkeOpen(
  suite: HpkeSuite,
  sharedSecret: Uint8Array,
  message: HpkeMessage & { readonly ciphertext: Uint8Array },
): Buffer {
  const { aad, ciphertext, info = none } = message
  if (ciphertext.length < tagBytes) throw new Error('the ciphertext is too short')
  const { key, nonce } = schedule(suite, sharedSecret, info)
  const end = ciphertext.length - tagBytes
  const decipher = createDecipheriv(suite.aead as CipherGCMTypes, key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(aad)
  decipher.setAuthTag(ciphertext.subarray(end))
  return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()])
}

interface Context {
  readonly key: Buffer
  readonly nonce: Buffer
}

/** RFC 9180 §5.1, KeySchedule in base mode. */
export function schedule(suite: HpkeSuite, sharedSecret: Uint8Array, info: Uint8Array): Context {
  return suite.kdf === 'shake256' ? oneStage(suite, sharedSecret, info) : twoStages(suite, sharedSecret, info)
}

function suiteId({ kemId, kdf, aead }: HpkeSuite): Buffer {
  return Buffer.concat([Buffer.from('HPKE'), uint16(kemId), uint16(kdfIds[kdf]), uint16(aeadIds[aead])])
}

function twoStages(suite: HpkeSuite, sharedSecret: Uint8Array, info: Uint8Array): Context {
  const id = suiteId(suite)
  const extract = (salt: Uint8Array, label: string, material: Uint8Array): Buffer =>
    hmac(salt, version, id, Buffer.from(label), material)
  const context = Buffer.concat([baseMode, extract(none, 'psk_id_hash', none), extract(none, 'info_hash', info)])
  const secret = extract(sharedSecret, 'secret', none)
  const expand = (label: string, length: number): Buffer =>
    hmac(secret, uint16(length), version, id, Buffer.from(label), context, Buffer.of(1)).subarray(0, length)
  return { key: expand('key', keyBytes[suite.aead]), nonce: expand('base_nonce', nonceBytes) }
}

/** draft-ietf-hpke-hpke §5.1: one call of the extendable-output function gives key, nonce and exporter secret. */
function oneStage(suite: HpkeSuite, sharedSecret: Uint8Array, info: Uint8Array): Context {
  const key = keyBytes[suite.aead]
  const length = key + nonceBytes + secretBytes[suite.kdf]
  const secrets = Buffer.concat([prefixed(none), prefixed(sharedSecret)])
  const context = Buffer.concat([baseMode, prefixed(none), prefixed(info)])
  const derived = createHash('shake256', { outputLength: length })
    .update(secrets)
    .update(version)
    .update(suiteId(suite))
    .update(prefixed(Buffer.from('secret')))
    .update(uint16(length))
    .update(context)
    .digest()
  return { key: derived.subarray(0, key), nonce: derived.subarray(key, key + nonceBytes) }
}

/** HMAC-SHA256; HKDF-Expand of at most 32 bytes is one of these. */
function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

function prefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
