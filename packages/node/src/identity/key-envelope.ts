/** Encryption of the key file: AES-256-GCM under a key that scrypt (RFC 7914) makes of a passphrase, or HKDF (RFC 5869)
 *  of a key file's bytes. The whole head is authenticated, so parameters cannot be weakened unnoticed.
 *
 *      { "comity": "keys", "version": 1, "kdf": { "name": "scrypt", "N": 32768, "r": 8, "p": 3, "salt": "…" },
 *        "cipher": "aes-256-gcm", "nonce": "…", "ciphertext": "…" }        binary members are base64url
 */
import { createCipheriv, createDecipheriv, hkdfSync, scrypt, type ScryptOptions } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { KeySecret } from './key-secret.ts'

const salt = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

const kdfSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('scrypt'),
    // Bounds, not only defaults: less is too weak, more could not be computed in reasonable memory and time.
    N: z.union([z.literal(32_768), z.literal(65_536), z.literal(131_072)]),
    r: z.literal(8),
    p: z.int().min(1).max(4),
    salt,
  }),
  z.strictObject({ name: z.literal('hkdf-sha256'), salt }),
])

const envelopeSchema = z.strictObject({
  comity: z.literal('keys'),
  version: z.literal(1),
  kdf: kdfSchema,
  cipher: z.literal('aes-256-gcm'),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16}$/),
  ciphertext: z.string().max(1_000_000),
})

/** How the key was derived. */
export type KeyDerivation = Readonly<z.infer<typeof kdfSchema>>
type Envelope = Readonly<z.infer<typeof envelopeSchema>>

const tagBytes = 16

/** Fresh parameters for a secret: as costly as OWASP's scrypt advice, in 32 MiB of memory. */
export function newDerivation(secret: KeySecret, randomBytes: RandomBytes): KeyDerivation {
  const fresh = encodeBase64url(randomBytes(32))
  return secret.kind === 'passphrase'
    ? { name: 'scrypt', N: 32_768, r: 8, p: 3, salt: fresh }
    : { name: 'hkdf-sha256', salt: fresh }
}

/** The 32 bytes of the encryption key. Throws `keys-locked` when the file was locked with the other kind of secret. */
export async function deriveKey(secret: KeySecret, kdf: KeyDerivation): Promise<Uint8Array> {
  const bytes = decodeBase64url(kdf.salt)
  if (kdf.name === 'scrypt' && secret.kind === 'passphrase') {
    const { N, r, p } = kdf
    return scryptKey(secret.passphrase.normalize('NFC'), bytes, { N, r, p, maxmem: 256 * N * r })
  }
  if (kdf.name === 'hkdf-sha256' && secret.kind === 'key-file') {
    return new Uint8Array(hkdfSync('sha256', secret.bytes, bytes, 'comity/v1/keys', 32))
  }
  const needed = kdf.name === 'scrypt' ? 'a passphrase' : 'a key file'
  throw new Problem('keys-locked', `the keys were locked with ${needed}, but the configuration names another secret`)
}

/** The envelope's text around a plaintext. */
export function sealEnvelope(
  plaintext: string,
  { key, kdf, randomBytes }: { key: Uint8Array; kdf: KeyDerivation; randomBytes: RandomBytes },
): string {
  const nonce = randomBytes(12)
  const head = { comity: 'keys', version: 1, kdf, cipher: 'aes-256-gcm', nonce: encodeBase64url(nonce) } as const
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(authenticated(head))
  const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${JSON.stringify({ ...head, ciphertext: encodeBase64url(sealed) }, null, 2)}\n`
}

/** Reads the text of an envelope. Throws `keys-locked` when it is none. */
export function parseEnvelope(text: string): Envelope {
  try {
    return envelopeSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Problem('keys-locked', 'the key file is damaged or of an unknown version', { cause })
  }
}

/** The plaintext. Throws `keys-locked` when the key is wrong or anything in the envelope was changed; which of the
 *  two it is cannot be told. */
export function openEnvelope(envelope: Envelope, key: Uint8Array): string {
  try {
    const sealed = decodeBase64url(envelope.ciphertext)
    const decipher = createDecipheriv('aes-256-gcm', key, decodeBase64url(envelope.nonce), { authTagLength: tagBytes })
    decipher.setAAD(authenticated(envelope))
    decipher.setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new Problem('keys-locked', 'the passphrase is wrong, or the key file was changed', { cause })
  }
}

function authenticated({ comity, version, kdf, cipher, nonce }: Omit<Envelope, 'ciphertext'>): Buffer {
  const parameters = kdf.name === 'scrypt' ? [kdf.N, kdf.r, kdf.p] : []
  return Buffer.from(JSON.stringify([comity, version, kdf.name, ...parameters, kdf.salt, cipher, nonce]))
}

function scryptKey(passphrase: string, bytes: Uint8Array, options: ScryptOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, bytes, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
