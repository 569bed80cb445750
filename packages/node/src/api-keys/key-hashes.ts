/** What the node keeps instead of the secrets of API keys. All follows from the node's secret, which is in the key file
 *  and never in the database: who has the database alone can neither test guesses nor make a key.
 *
 *  A fast hash is right here: secrets have 190 bits of randomness, so there is nothing to guess (docs/decisions/0017). */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { apiKeyName, formatApiKey, newKeySecret, type ApiKey } from '@comity/core/api-keys/api-key'
import { utf8Bytes } from '@comity/core/bytes/utf8'

export interface KeyHashes {
  /** 32 bytes: HMAC-SHA-256 over name and secret of a key, so that no row's hash stands for another key. */
  hashOf(key: ApiKey): Uint8Array
  /** The secret of an hmac key, from its name and the salt that is kept. */
  deriveSecret(key: Pick<ApiKey, 'environment' | 'id'>, salt: Uint8Array): string
  /** The secret of a plain key that is claimed with another: the same whenever it is asked for, and only with the secret of
   *  the old one, which the node does not keep. */
  claimedSecret(key: Pick<ApiKey, 'environment' | 'id'>, old: ApiKey): string
}

/** 32 bytes each, derived from the node's secret for these uses alone. */
export interface KeyPeppers {
  readonly pepper: Uint8Array
  readonly macPepper: Uint8Array
  readonly claimPepper: Uint8Array
}

export function createKeyHashes(peppers: KeyPeppers): KeyHashes {
  const pepper = createSecretKey(peppers.pepper)
  const macPepper = createSecretKey(peppers.macPepper)
  const claimPepper = createSecretKey(peppers.claimPepper)
  return {
    hashOf: (key) => hmac(pepper, `${apiKeyName(key)} ${key.secret}`),
    deriveSecret: (key, salt) => newKeySecret(stream(macPepper, apiKeyName(key), salt)),
    claimedSecret: (key, old) => newKeySecret(stream(claimPepper, apiKeyName(key), utf8Bytes(formatApiKey(old)))),
  }
}

/** In a time that tells nothing of where they differ. */
export function isSameHash(one: Uint8Array, other: Uint8Array): boolean {
  return timingSafeEqual(one, other)
}

function hmac(key: KeyObject, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** As many bytes as are asked for, block after block: HMAC-SHA-256 over name, salt and number of the block. */
function stream(key: KeyObject, name: string, salt: Uint8Array): (length: number) => Uint8Array {
  let block = 0
  return (length) => {
    const blocks: Uint8Array[] = []
    for (let made = 0; made < length; made += 32) blocks.push(hmac(key, `${name} `, salt, ` ${block++}`))
    return Buffer.concat(blocks).subarray(0, length)
  }
}
