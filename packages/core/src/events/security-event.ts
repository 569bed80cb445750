/** Security Event Tokens (RFC 8417): signed statements that something has happened, from one node to another.
 *
 *    header  { "typ": "secevent+jwt", "kid": "did:web:a.example#key-1", "alg": "EdDSA" }
 *    claims  { "iss": "did:web:a.example", "aud": "did:web:b.example", "jti": "0190…", "iat": 1718000001, "toe": 1718000000,
 *              "events": { "urn:comity:event:key-rotated": {} } } */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { didOfKeyId, isDid } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'

/** Media type is `application/secevent+jwt` (RFC 8417 §7.2). */
export const securityEventType = 'secevent+jwt'
/** Longest token that is read, in characters. */
export const maxSecurityEventLength = 16 * 1024

/** Claims of a token (RFC 8417 §2.2). */
export interface SecurityEventClaims {
  /** DID of the sender. */
  readonly iss: string
  /** DID of the receiver; a list is read too. */
  readonly aud: string | readonly string[]
  /** Unique for the sender; the same for every try to deliver the same event. */
  readonly jti: string
  /** When this token was signed, in seconds. */
  readonly iat: number
  /** When it happened, in seconds. */
  readonly toe?: number | undefined
  /** Event URI → what it carries. */
  readonly events: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** A token whose signature is not verified yet. */
export interface UnverifiedSecurityEvent {
  readonly claims: SecurityEventClaims
  /** DID URL of the key; of the DID that `iss` names. */
  readonly keyid: string
  readonly jws: ParsedJws
}

const seconds = z.int().nonnegative()
const audience = z.string().min(1).max(2048)
const claimsSchema = z.looseObject({
  iss: z.string().refine(isDid, 'not a DID'),
  aud: z.union([audience, z.array(audience).min(1).max(20)]),
  jti: z.string().min(1).max(128),
  iat: seconds,
  toe: seconds.optional(),
  events: z.record(z.string().max(512), z.record(z.string(), z.unknown())),
})

/** Signs the claims. `keyid` names an `assertionMethod` key of the issuer. */
export function signSecurityEvent(
  claims: SecurityEventClaims,
  signer: { readonly keyid: string; readonly key: SigningKey },
): string {
  const header = { typ: securityEventType, kid: signer.keyid }
  return signCompactJws({ key: signer.key, header, payload: JSON.stringify(claims) })
}

/** Reads a token. Throws `event-invalid` when it is not one, or when its key is not one of the issuer's. */
export function parseSecurityEvent(text: string): UnverifiedSecurityEvent {
  try {
    const jws = parseCompactJws(text, { typ: securityEventType, maxLength: maxSecurityEventLength })
    const claims = claimsSchema.parse(parseJson(jws.payloadText))
    if (Object.keys(claims.events).length === 0) throw new Problem('event-invalid', '`events` is empty')
    const keyid = jws.header.kid ?? ''
    if (didOfKeyId(keyid) !== claims.iss) throw new Problem('event-invalid', "`kid` is not a key of the token's `iss`")
    return { claims, keyid, jws }
  } catch (cause) {
    throw new Problem('event-invalid', `the token cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** Error codes of the Security Event Token Error Codes registry (RFC 8935 §2.4). */
export type SecurityEventError =
  'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience' | 'authentication_failed' | 'access_denied'

/** Why a token is not taken. */
export interface SecurityEventRefusal {
  readonly err: SecurityEventError
  readonly description: string
}

/** How far clocks may be apart, in seconds. */
const skewSeconds = 300

/** Judges the claims; the signature is another matter. Gives undefined when there is nothing against them.
 *  `maxAgeSeconds` is how long the receiver remembers tokens: an older one could be a forgotten one again. */
export function decideSecurityEvent(
  { aud, iat }: SecurityEventClaims,
  facts: { readonly audience: string; readonly nowMs: number; readonly maxAgeSeconds: number },
): SecurityEventRefusal | undefined {
  const audiences = typeof aud === 'string' ? [aud] : aud
  if (!audiences.includes(facts.audience)) {
    return { err: 'invalid_audience', description: `the token is not for \`${facts.audience}\`` }
  }
  const ageSeconds = facts.nowMs / 1000 - iat
  if (ageSeconds < -skewSeconds) return { err: 'invalid_request', description: '`iat` lies in the future' }
  if (ageSeconds > facts.maxAgeSeconds) return { err: 'invalid_request', description: '`iat` lies too far back' }
  return undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ path }) => `\`${path.join('.')}\``).join(', ')
  return error instanceof Problem ? error.message : 'not a token'
}
