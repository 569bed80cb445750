/** Status List Tokens (draft-ietf-oauth-status-list-21 §5.1): a list, signed by its issuer, at its own address.
 *
 *      header  { "alg": "EdDSA", "typ": "statuslist+jwt", "kid": "did:web:a.example#key-1" }
 *      claims  { "sub": "https://a.example/status/1", "iat": 1718000000, "exp": 1718000600, "ttl": 30,
 *                "status_list": { "bits": 2, "lst": "eNo76fITAAPfAgc" } } */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { parseCompactJws, signCompactJws, verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { statusSizes, type EncodedStatusList } from './status-list.ts'

/** `typ`; the media type is `application/statuslist+jwt`. */
export const statusListType = 'statuslist+jwt'
export const statusListMediaType = `application/${statusListType}`
/** Longest token that is read, in characters. */
export const maxStatusListTokenLength = 2 * 1024 * 1024

/** Claims of a token; times in seconds. */
export interface StatusListClaims {
  /** Address of the list: `uri` of the tokens that refer to it. */
  readonly sub: string
  readonly iat: number
  readonly exp?: number | undefined
  /** For how many seconds a copy may be used. */
  readonly ttl?: number | undefined
  readonly status_list: EncodedStatusList
}

/** A token whose signature is not verified yet. */
export interface ParsedStatusListToken {
  readonly claims: StatusListClaims
  /** What names the key; a DID URL in Comity's own lists. */
  readonly kid: string | undefined
  readonly jws: ParsedJws
}

const seconds = z.number().nonnegative()
const claimsSchema = z.object({
  sub: z.string().min(1).max(2048),
  iat: seconds,
  exp: seconds.optional(),
  ttl: z.number().positive().optional(),
  status_list: z.object({
    bits: z.literal(statusSizes),
    lst: z.string().min(1),
  }),
})

/** Signs a list. `keyid` names an `assertionMethod` key of the issuer. */
export function signStatusList(
  claims: StatusListClaims,
  signer: { readonly keyid: string; readonly key: SigningKey },
): string {
  const header = { typ: statusListType, kid: signer.keyid }
  return signCompactJws({ key: signer.key, header, payload: JSON.stringify(claims) })
}

/** Reads a token. Throws `status-list-invalid` for another type or shape. */
export function parseStatusList(text: string): ParsedStatusListToken {
  const limits = { typ: statusListType, maxLength: maxStatusListTokenLength }
  const jws = asInvalid(() => parseCompactJws(text, limits))
  const parsed = claimsSchema.safeParse(asInvalid(() => parseJson(jws.payloadText)))
  if (!parsed.success) {
    throw invalid(`the claim \`${parsed.error.issues[0]?.path.join('.') ?? ''}\` is malformed`, parsed.error)
  }
  return { claims: parsed.data, kid: jws.header.kid, jws }
}

/** What a token must be to be believed. */
export interface StatusListFacts {
  /** Where it was fetched: `uri` of the token whose status is asked for. */
  readonly uri: string
  readonly nowMs: number
  /** How much clocks may differ. */
  readonly skewSeconds: number
}

/** Verifies a token by §8.3. Throws `status-list-invalid` for another list's token, for one that is expired or of the
 *  future, and for a signature that is not the key's. Gives the claims and until when a copy may be used. */
export function verifyStatusList(
  { claims, jws }: ParsedStatusListToken,
  key: VerifyingKey,
  facts: StatusListFacts,
): { readonly claims: StatusListClaims; readonly usableUntilMs: number } {
  const { sub, iat, exp = Number.POSITIVE_INFINITY, ttl = Number.POSITIVE_INFINITY } = claims
  if (sub !== facts.uri) throw invalid('the token is of another list')
  asInvalid(() => verifyCompactJws(jws, key))
  const now = facts.nowMs / 1000
  if (iat > now + facts.skewSeconds) throw invalid('the token lies in the future')
  if (exp <= now - facts.skewSeconds) throw invalid('the token has expired')
  return { claims, usableUntilMs: Math.min(facts.nowMs + ttl * 1000, (exp + facts.skewSeconds) * 1000) }
}

function asInvalid<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Problem) throw invalid(cause.message, cause)
    throw cause
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('status-list-invalid', detail, { cause })
}
