/** The request signature of a client with an API key: RFC 9421 `hmac-sha256` over what participants sign, with the same
 *  parameters. `keyid` is the name of the key; the MAC's key is the 32 characters of its secret, without the checksum.
 *
 *      Signature-Input: comity=("@method" "@authority" "@path" "@query" "comity-sequence");created=1718000000
 *        ;expires=1718000060;nonce="mZ3vNn0zTq1bq2yQw5d7Jg";keyid="cmty_live_7Qm2xK9a";alg="hmac-sha256";tag="comity-req"
 *
 *  Holder and client have the same key: to a stranger such a signature proves nothing. */
import { hmacSha256, sha256 } from '#crypto'
import { apiKeyName, isApiKeyLike, parseApiKey } from '../api-keys/api-key.ts'
import { equalBytes } from '../bytes/bytes.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import type { RequestParts } from './message.ts'
import { baseOf, type MadeSignature } from './profile.ts'
import { makeSignature, requestCoverage, type ReadSignature, type RequestSigning } from './profile-request.ts'

/** Its name in the HTTP Signature Algorithms registry. */
export const keyAlgorithm = 'hmac-sha256'

const macLength = 32

/** True for the signature of a client rather than of a participant. */
export function isKeySignature({ keyid }: Pick<ReadSignature, 'keyid'>): boolean {
  return isApiKeyLike(keyid)
}

/** Signs a request with the whole text of an API key. Throws `key-malformed`, and `signature-malformed` when the result
 *  would be one that verifiers refuse. */
export function signWithApiKey(
  parts: RequestParts,
  { apiKey, ...signing }: Omit<RequestSigning, 'key' | 'keyid'> & { readonly apiKey: string },
): MadeSignature {
  const key = parseApiKey(apiKey)
  const secret = utf8Bytes(key.secret)
  const sign = (base: string) => hmacSha256(secret, base)
  return makeSignature(parts, { ...signing, keyid: apiKeyName(key), alg: keyAlgorithm, sign })
}

/** Throws `signature-algorithm` unless the signature is a MAC; false when it is not the secret's over this request. */
export function isMadeWithKey({ alg, base, signature }: ReadSignature, secret: Uint8Array): boolean {
  if (alg !== keyAlgorithm) {
    throw new Problem('signature-algorithm', `an API key signs with \`${keyAlgorithm}\`, the signature says \`${alg}\``)
  }
  const expected = hmacSha256(secret, base)
  // Compared by their hashes: where these differ tells nothing of where the others do.
  return signature.length === macLength && equalBytes(sha256(expected), sha256(signature))
}

/** What a receipt's hash is over when nobody signed the request: the base as a signature would have it, its list without
 *  parameters. Give a reader of fields that leaves out the credential. */
export function unsignedBase(parts: RequestParts): string {
  const coverage = requestCoverage(parts)
  return baseOf(coverage, coverage.list)
}
