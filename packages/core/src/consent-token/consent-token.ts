/** One consent token (see `consent-claims.ts`): signing it, and reading it without believing it. Unknown claims are
 *  signed and ignored (RFC 7519 §4); an unknown member of a `urn:comity:consent:1` detail is refused, since it would be
 *  a limit that nobody enforces. */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import type { PublicJwk, SigningKey } from '../crypto/crypto.ts'
import { parsePublicJwk } from '../crypto/jwk.ts'
import { isDid } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { consentTokenType, type ConsentTokenClaims } from './consent-claims.ts'
import { detailsOfScopes, scopesOfDetails } from './consent-detail.ts'

/** Longest token, and longest chain of tokens, that is read, in characters. */
export const maxConsentTokenLength = 12 * 1024

/** A token taken apart; nothing in it is proven. */
export interface ParsedConsentToken {
  readonly claims: ConsentTokenClaims
  /** The key that the header names: a DID URL in a root; of no meaning in a child. */
  readonly kid: string | undefined
  readonly jws: ParsedJws
}

const seconds = z.int().nonnegative()
const did = z.string().max(2048).refine(isDid, 'not a DID')
const name = z.string().min(1).max(256)
const hash = z.string().regex(/^[\w-]{43}$/)
const depth = z.int().nonnegative().max(255)
const claimsSchema = z.object({
  iss: z.string().min(1).max(2048),
  sub: name,
  aud: did,
  client_id: did,
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  jti: name,
  cnf: z.strictObject({ jwk: z.unknown().transform(readJwk) }),
  consent: z.strictObject({ id: name, rev: z.int().positive(), hash, delegation: name.optional() }),
  authorization_details: z.array(z.unknown()).min(1).max(64),
  status: z
    .strictObject({
      status_list: z.strictObject({ idx: z.int().nonnegative(), uri: z.string().min(1).max(2048) }),
    })
    .optional(),
  del_depth: depth,
  del_max_depth: depth,
  par_hash: hash.optional(),
  acr: name.optional(),
  amr: z.array(name).max(16).optional(),
  auth_time: seconds.optional(),
  txn: name.optional(),
})

/** Signs a token. `keyid` is the DID URL of the holder's key; a child of a chain has none. */
export function signConsentToken(
  claims: ConsentTokenClaims,
  signer: { readonly keyid?: string | undefined; readonly key: SigningKey },
): string {
  const kid = signer.keyid === undefined ? {} : { kid: signer.keyid }
  const payload = { ...claims, authorization_details: detailsOfScopes(claims.authorization_details, claims.aud) }
  return signCompactJws({
    key: signer.key,
    header: { typ: consentTokenType, ...kid },
    payload: JSON.stringify(payload),
  })
}

/** Reads one token. Throws `consent-token-invalid` for another type, algorithm or shape. */
export function parseConsentToken(text: string): ParsedConsentToken {
  const jws = asInvalid(() => parseCompactJws(text, { maxLength: maxConsentTokenLength, typ: consentTokenType }))
  const value = asInvalid(() => parseJson(jws.payloadText))
  const parsed = claimsSchema.safeParse(value)
  if (!parsed.success) {
    throw invalid(`the claim \`${parsed.error.issues[0]?.path.join('.') ?? ''}\` is malformed`, parsed.error)
  }
  const authorization_details = scopesOfDetails(parsed.data.authorization_details, parsed.data.aud)
  return { claims: { ...parsed.data, authorization_details }, kid: jws.header.kid, jws }
}

function readJwk(value: unknown, context: z.RefinementCtx): PublicJwk {
  try {
    return parsePublicJwk(value)
  } catch {
    context.addIssue({ code: 'custom', message: 'not a public key' })
    return z.NEVER
  }
}

/** Runs what may throw some other problem, and makes it a problem of the token. */
function asInvalid<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Problem) throw invalid(cause.message, cause)
    throw cause
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('consent-token-invalid', detail, { cause })
}
