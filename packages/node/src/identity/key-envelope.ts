/** Encryption of the key file: AES-256-GCM under a derived key (`key-derivation.ts`). The whole head is authenticated, so parameters cannot be weakened unnoticed.
 *
 *      { "comity": "keys", "version": 1, "kdf": { "name": "scrypt", "N": 32768, "r": 8, "p": 3, "salt": "…" },
 *        "cipher": "aes-256-gcm", "nonce": "…", "ciphertext": "…" }        binary members are base64url
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { isKeyDerivation, type KeyDerivation } from './key-derivation.ts'

const envelopeSchema = z.strictObject({
  comity: z.literal('keys'),
  version: z.literal(1),
  kdf: z.custom<KeyDerivation>(isKeyDerivation),
  cipher: z.literal('aes-256-gcm'),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{16}$/),
  ciphertext: z.string().max(1_000_000),
})

type Envelope = Readonly<z.infer<typeof envelopeSchema>>

const tagBytes = 16

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
