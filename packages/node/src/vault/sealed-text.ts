/** Sealing of texts and wrapping of keys: AES-256-GCM with a fresh 96-bit nonce, and the handle of the subject as
 *  additional data, so that what was sealed for one cannot be passed off as another's.
 *
 *      sealed:<handle>:<base64url of generation (1 byte), nonce (12), ciphertext, tag (16)>
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
const noncesPerDraw = 64

/** A random 256-bit key. */
export const keyBytes = 32
/** Nonce, key, tag. */
export const wrappedBytes = nonceBytes + keyBytes + tagBytes

const shape = /^sealed:([A-Za-z0-9_-]{43}):([A-Za-z0-9_-]{39,})$/

/** A sealed text in its parts. */
export interface SealedParts {
  readonly handle: string
  /** Which of the subject's keys it is under: 1 unless the subject was erased and admitted again. */
  readonly generation: number
  /** Nonce, ciphertext, tag. */
  readonly box: Uint8Array
}

/** True for texts that `formatSealed` made; a text of JSON never begins like this. */
export function isSealed(text: string): boolean {
  return text.startsWith('sealed:')
}

/** The text of the parts. */
export function formatSealed({ handle, generation, box }: SealedParts): string {
  const bytes = Buffer.allocUnsafe(1 + box.length)
  bytes[0] = generation
  bytes.set(box, 1)
  return `sealed:${handle}:${encodeBase64url(bytes)}`
}

/** Throws `storage-failed` for anything else than a sealed text. */
export function parseSealed(text: string): SealedParts {
  const [, handle, encoded] = shape.exec(text) ?? []
  if (handle === undefined || encoded === undefined) throw damaged()
  const bytes = decoded(encoded)
  return { handle, generation: bytes[0] ?? 0, box: bytes.subarray(1) }
}

function decoded(encoded: string): Uint8Array {
  try {
    return decodeBase64url(encoded)
  } catch (cause) {
    throw damaged(cause)
  }
}

/** Nonce, ciphertext and tag of the data. */
export function encrypt(
  key: KeyObject,
  data: Uint8Array,
  { handle, nonce }: { readonly handle: string; readonly nonce: Uint8Array },
): Uint8Array {
  const cipher = createCipheriv(algorithm, key, nonce)
  cipher.setAAD(Buffer.from(handle, 'latin1'))
  const ciphertext = cipher.update(data)
  cipher.final()
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()])
}

/** The data of a box. Throws `storage-failed` when it is damaged, or of another key or handle. */
export function decrypt(key: KeyObject, box: Uint8Array, handle: string): Buffer {
  try {
    const decipher = createDecipheriv(algorithm, key, box.subarray(0, nonceBytes), { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(handle, 'latin1'))
    decipher.setAuthTag(box.subarray(box.length - tagBytes))
    const data = decipher.update(box.subarray(nonceBytes, box.length - tagBytes))
    decipher.final()
    return data
  } catch (cause) {
    throw damaged(cause)
  }
}

/** The key that was wrapped. Throws `storage-failed`. */
export function unwrapKey(wrappingKey: KeyObject, wrapped: Uint8Array, handle: string): KeyObject {
  const bytes = decrypt(wrappingKey, wrapped, handle)
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/** Gives a function that gives a new nonce on each call. Randomness is drawn for many at once: one draw costs more
 *  than to seal a text. */
export function createNonces(randomBytes: RandomBytes): () => Uint8Array {
  let drawn = new Uint8Array()
  let at = 0
  return () => {
    if (at === drawn.length) {
      drawn = Uint8Array.from(randomBytes(nonceBytes * noncesPerDraw))
      at = 0
    }
    return drawn.subarray(at, (at += nonceBytes))
  }
}

/** What reading a sealed text or a wrapped key that cannot be true throws. */
export function damaged(cause?: unknown): Problem {
  return new Problem('storage-failed', 'a sealed text is damaged, or the key that it needs is not this one', { cause })
}
