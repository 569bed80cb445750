/** JWE's `ECDH-ES+A256KW` with X25519 and `A256GCM` (RFC 7518 §4.4, §4.6, §5.3; RFC 8037 §3.2), on `node:crypto`. */
import { createCipheriv, createDecipheriv, createHash, diffieHellman, type KeyObject } from 'node:crypto'

/** Names of the algorithm in a header. */
export const ecdhEs = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' } as const

const wrapIv = Buffer.alloc(8, 0xa6)
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

/** The key that wraps the content's key: Concat KDF (NIST SP 800-56A §5.8.1) in one round, `apu` and `apv` empty. */
function wrappingKey(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const shared = diffieHellman({ privateKey, publicKey })
  const info = Buffer.concat([prefixed(Buffer.from(ecdhEs.alg)), uint32(0), uint32(0), uint32(keyBytes * 8)])
  return createHash('sha256').update(uint32(1)).update(shared).update(info).digest()
}

/** A content key of 32 bytes, wrapped for the owner of `publicKey` (RFC 3394). */
export function wrapKey(
  contentKey: Uint8Array,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): Buffer {
  const cipher = createCipheriv('id-aes256-wrap', wrappingKey(keys.privateKey, keys.publicKey), wrapIv)
  return Buffer.concat([cipher.update(contentKey), cipher.final()])
}

/** The content key. Throws when it was not wrapped for this key. */
export function unwrapKey(
  wrapped: Uint8Array,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): Buffer {
  if (wrapped.length !== keyBytes + 8) throw new Error('the wrapped key has another length')
  const decipher = createDecipheriv('id-aes256-wrap', wrappingKey(keys.privateKey, keys.publicKey), wrapIv)
  return Buffer.concat([decipher.update(wrapped), decipher.final()])
}

/** Content under its key; `aad` is the first part of the envelope. */
export interface SealedParts {
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

export function encryptContent(
  plaintext: Uint8Array,
  { key, iv, aad }: { readonly key: Uint8Array; readonly iv: Uint8Array; readonly aad: Uint8Array },
): SealedParts {
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { iv, ciphertext, tag: cipher.getAuthTag() }
}

/** The content. Throws when anything of it was altered. */
export function decryptContent(
  { iv, ciphertext, tag }: SealedParts,
  { key, aad }: { readonly key: Uint8Array; readonly aad: Uint8Array },
): Buffer {
  if (iv.length !== ivBytes || tag.length !== tagBytes) throw new Error('the parts have other lengths')
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  decipher.setAAD(aad)
  decipher.setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

function prefixed(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
