/** Passing a part of a consent on without asking the holder: a bearer mints a narrower token for another participant,
 *  signed with the key that its own token is bound to. */
import type { ConsentScope } from '../consent/consent-scope.ts'
import type { PublicJwk, SigningKey } from '../crypto/crypto.ts'
import { jwkThumbprint } from '../crypto/jwk.ts'
import { Problem } from '../problems.ts'
import { parseConsentChain } from './consent-authorization.ts'
import { parentHash } from './consent-chain.ts'
import type { ConsentTokenClaims } from './consent-claims.ts'
import { signConsentToken, type ParsedConsentToken } from './consent-token.ts'
import { childIssuer, narrowingFaults } from './token-narrowing.ts'

export interface DelegationTerms {
  /** The chain of the bearer: `<root>[~<child>…]`. */
  readonly parent: string
  readonly delegate: { readonly did: string; readonly jwk: PublicJwk }
  /** Stable id of the delegation: the same in each token that is minted for it. */
  readonly delegation: string
  /** Each names the grant of the parent that it is a part of. Denials of the parent are added when they are missing. */
  readonly scopes: readonly ConsentScope[]
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly jti: string
  /** How deep the chain may grow below; as deep as the parent's may, when absent. */
  readonly maxDepth?: number | undefined
  readonly status?: { readonly idx: number; readonly uri: string } | undefined
}

/** The chain with the new token at its end. Throws `delegation-refused`, with `errors`, for what would allow more than
 *  the parent does or than the parent may pass on; `consent-token-invalid` when the parent cannot be read. */
export function mintDelegation(terms: DelegationTerms, signer: { readonly key: SigningKey }): string {
  const parent = parseConsentChain(terms.parent).links.at(-1) as ParsedConsentToken
  if (jwkThumbprint(signer.key.publicJwk) !== jwkThumbprint(parent.claims.cnf.jwk)) {
    throw refused(['the parent is not bound to the key that signs'])
  }
  const claims = childClaims(terms, parent)
  const errors = [...narrowingFaults(claims, parent.claims), ...lifeFaults(claims)]
  if (errors.length > 0) throw refused(errors)
  return requireReadable(`${terms.parent}~${signConsentToken(claims, { key: signer.key })}`)
}

function childClaims(terms: DelegationTerms, parent: ParsedConsentToken): ConsentTokenClaims {
  const { aud, sub, consent, del_depth: depth, del_max_depth: maxDepth } = parent.claims
  // The parent was issued by another clock, which may be ahead.
  const iat = Math.max(terms.createdAt, parent.claims.iat)
  return {
    iss: childIssuer(parent.claims),
    sub,
    aud,
    client_id: terms.delegate.did,
    iat,
    nbf: Math.max(iat, parent.claims.nbf),
    exp: terms.expiresAt,
    jti: terms.jti,
    cnf: { jwk: terms.delegate.jwk },
    consent: { id: consent.id, rev: consent.rev, hash: consent.hash, delegation: terms.delegation },
    authorization_details: withDenials(terms.scopes, parent.claims.authorization_details),
    ...(terms.status === undefined ? {} : { status: { status_list: terms.status } }),
    del_depth: depth + 1,
    del_max_depth: terms.maxDepth ?? maxDepth,
    par_hash: parentHash(parent),
  }
}

/** The scopes with the parent's denials, which every child keeps. */
export function withDenials(scopes: readonly ConsentScope[], parent: readonly ConsentScope[]): ConsentScope[] {
  const named = new Set(scopes.map(({ grant }) => grant))
  return [...scopes, ...parent.filter(({ effect, grant }) => effect === 'deny' && !named.has(grant))]
}

function lifeFaults({ nbf, exp }: ConsentTokenClaims): string[] {
  return exp > nbf ? [] : ['the delegation ends before it begins']
}

/** What a reader would refuse, the one who mints must hear of. */
function requireReadable(chain: string): string {
  try {
    parseConsentChain(chain)
    return chain
  } catch (cause) {
    throw refused([cause instanceof Problem ? cause.message : 'the chain cannot be read'], cause)
  }
}

function refused(errors: readonly string[], cause?: unknown): Problem {
  return new Problem('delegation-refused', `the delegation is refused: ${errors.join('; ')}`, {
    cause,
    members: { errors },
  })
}
