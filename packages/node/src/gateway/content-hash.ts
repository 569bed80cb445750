/** The SHA-256 of contents that leave. Validator, receipt and digest of an answer all name it: it is worked out once. */
import { sha256Text } from '@comity/core/crypto/crypto-node'

const known = new WeakMap<Uint8Array, string>()

/** In base64url. Nobody writes into `content` after this. */
export function contentHash(content: Uint8Array): string {
  let hash = known.get(content)
  if (hash === undefined) known.set(content, (hash = sha256Text(content, 'base64url')))
  return hash
}
