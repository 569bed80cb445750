/** The key that the key file is encrypted under: scrypt (RFC 7914) of a passphrase, or HKDF (RFC 5869) of a key file's
 *  bytes. */
import { hkdfSync, scrypt, type ScryptOptions } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { KeySecret } from './key-secret.ts'

/** How the key is derived; `salt` is base64url of 32 bytes. */
export type KeyDerivation =
  | { readonly name: 'scrypt'; readonly N: number; readonly r: 8; readonly p: number; readonly salt: string }
  | { readonly name: 'hkdf-sha256'; readonly salt: string }

// Bounds, not only defaults: less is too weak, more could not be computed in reasonable memory and time.
const costs: readonly unknown[] = [32_768, 65_536, 131_072]
const parallel: readonly unknown[] = [1, 2, 3, 4]

/** True for exactly what a key file may say of its derivation. */
export function isKeyDerivation(value: unknown): value is KeyDerivation {
  if (typeof value !== 'object' || value === null) return false
  const { name, salt, N, r, p, ...others } = value as Record<string, unknown>
  if (typeof salt !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(salt) || Object.keys(others).length > 0) return false
  if (name === 'scrypt') return costs.includes(N) && r === 8 && parallel.includes(p)
  return name === 'hkdf-sha256' && [N, r, p].every((cost) => cost === undefined)
}

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

function scryptKey(passphrase: string, bytes: Uint8Array, options: ScryptOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, bytes, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
