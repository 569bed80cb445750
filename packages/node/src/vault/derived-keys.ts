/** What follows from the node's secret: the key that wraps the subjects' keys, and the keyed hashes that stand for
 *  subjects. Each use has a key of its own, derived with its name (HKDF-SHA-256, RFC 5869), so that no value of one use
 *  can be taken for, or tells anything about, one of another. */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { Problem } from '@comity/core/problems'

/** The node's secret is this long. */
export const secretBytes = 32

/** What the secret is used for. */
export interface DerivedKeys {
  readonly wrapping: KeyObject
  readonly handle: KeyObject
  readonly pairwise: KeyObject
  readonly hash: KeyObject
  /** By which the secret is known again; tells nothing about it. */
  readonly fingerprint: string
}

/** Derives all of them. Throws `keys-locked` for a secret of another length than 32 bytes. */
export function deriveKeys(secret: Uint8Array): DerivedKeys {
  if (secret.length !== secretBytes) throw new Problem('keys-locked', "the node's secret is not 32 bytes")
  const derive = (use: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, new Uint8Array(), `comity vault ${use} v1`, 32)))
  return {
    wrapping: derive('wrap'),
    handle: derive('handle'),
    pairwise: derive('pairwise'),
    hash: derive('hash'),
    fingerprint: keyedHashOf(derive('fingerprint'), []),
  }
}

/** HMAC-SHA-256, base64url. The parts are joined as JSON, so that no two lists of parts are one text. */
export function keyedHashOf(key: KeyObject, parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
}
