/** JWS with detached content (RFC 7515 appendix F): `<header>..<signature>`, the payload travelling beside it. */
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import {
  encodePayload,
  parseCompactJws,
  signCompactJws,
  verifyCompactJws,
  type JwsExpectations,
  type JwsHeader,
  type JwsHeaderMembers,
  type ParsedJws,
} from './compact.ts'

/** Signs the payload and leaves it out of the text. */
export function signDetachedJws(options: {
  readonly key: SigningKey
  readonly header: JwsHeaderMembers
  readonly payload: string | Uint8Array
}): string {
  const [header, , signature] = signCompactJws(options).split('.')
  return `${header}..${signature}`
}

/** Takes a detached JWS apart and puts the payload in its place, so that `header.kid` can be read before the key
 *  is fetched. `maxLength` is of the detached text; the caller has bounded the payload. Throws as
 *  `parseCompactJws` does, and `malformed-jws` when there is a payload in the text. */
export function parseDetachedJws(
  text: string,
  payload: string | Uint8Array,
  expectations: JwsExpectations = {},
): ParsedJws {
  const parsed = parseCompactJws(text, expectations)
  if (parsed.payload.length > 0) throw new Problem('malformed-jws', 'the JWS carries a payload of its own')
  const [header, , signature] = text.split('.')
  const attached = `${header}.${encodePayload(payload)}.${signature}`
  return parseCompactJws(attached, { maxLength: attached.length })
}

/** Verifies a detached JWS over the payload and gives its header. Throws as `parseDetachedJws` and
 *  `verifyCompactJws` do. */
export function verifyDetachedJws(text: string, payload: string | Uint8Array, key: VerifyingKey): JwsHeader {
  const parsed = parseDetachedJws(text, payload)
  verifyCompactJws(parsed, key)
  return parsed.header
}
