/** Verifier keys of signed notes (c2sp.org/signed-note), as they are published and configured:
 *
 *      example.com/log+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
 *      name + key ID in lower-case hex + base64(type byte ‖ public key) */
import { sha256 } from '#crypto'
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import type { PublicJwk } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'

/** Ed25519 over the note's text. */
export const ed25519Type = 0x01
/** Timestamped Ed25519 cosignature of a checkpoint (c2sp.org/tlog-cosignature). */
export const cosignatureType = 0x04

/** A parsed verifier key. `keyId` is the unsigned 32-bit number that signatures carry. */
export interface VerifierKey {
  readonly name: string
  readonly keyId: number
  readonly type: number
  readonly publicKey: Uint8Array
}

const hexKeyId = /^[0-9a-f]{8}$/

/** True for a name that a key may have: not empty, no Unicode space, no plus, no control character. */
export function isKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name) && name.isWellFormed()
}

/** Key ID: first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian. */
export function noteKeyId(name: string, type: number, publicKey: Uint8Array): number {
  const prefix = utf8Bytes(`${name}\n`)
  const input = new Uint8Array(prefix.length + 1 + publicKey.length)
  input.set(prefix)
  input[prefix.length] = type
  input.set(publicKey, prefix.length + 1)
  const digest = sha256(input)
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0)
}

/** Verifier key of an Ed25519 key under a name. Throws `malformed-key` for another kind of key or a bad name. */
export function verifierKey(name: string, jwk: PublicJwk, type = ed25519Type): VerifierKey {
  if (jwk.kty !== 'OKP') throw new Problem('malformed-key', 'signed notes need an Ed25519 key')
  if (!isKeyName(name)) throw new Problem('malformed-key', `\`${name}\` cannot name a verifier key`)
  const publicKey = decodeBase64url(jwk.x)
  return { name, keyId: noteKeyId(name, type, publicKey), type, publicKey }
}

/** Text form of a verifier key. */
export function formatVerifierKey(key: VerifierKey): string {
  const encoded = new Uint8Array(1 + key.publicKey.length)
  encoded[0] = key.type
  encoded.set(key.publicKey, 1)
  return `${key.name}+${key.keyId.toString(16).padStart(8, '0')}+${encodeBase64(encoded)}`
}

/** Reads the text form, whatever its type. Throws `malformed-key`, also when the key ID is not that of an Ed25519
 *  or cosignature key. */
export function parseVerifierKey(text: string): VerifierKey {
  const [name = '', hex = '', ...rest] = text.split('+')
  const encoded = readBase64(rest.join('+'))
  const [type] = encoded
  if (!isKeyName(name) || !hexKeyId.test(hex) || type === undefined)
    throw new Problem('malformed-key', `\`${text}\` is not a verifier key`)
  const key = { name, keyId: Number.parseInt(hex, 16), type, publicKey: encoded.subarray(1) }
  const isEd25519 = type === ed25519Type || type === cosignatureType
  if (isEd25519 && (key.publicKey.length !== 32 || noteKeyId(name, type, key.publicKey) !== key.keyId))
    throw new Problem('malformed-key', `the key ID of \`${text}\` is not that of the key`)
  return key
}

function readBase64(text: string): Uint8Array {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw new Problem('malformed-key', 'a verifier key ends with base64', { cause })
  }
}
