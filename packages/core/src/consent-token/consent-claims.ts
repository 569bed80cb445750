/** The consent token: a compact JWS of type `comity-consent+jwt`, bound to its bearer's key (RFC 7800), that a
 *  recipient presents as `Authorization: Comity <root>[~<child>…]`. The holder signs the root; each child is signed by
 *  the key that its parent is bound to and allows no more than its parent does.
 *
 *      { "iss": "did:web:federation.example", "sub": "ps_…", "aud": "did:web:federation.example",
 *        "client_id": "did:web:lab.example", "iat": 1718000001, "nbf": 1718000001, "exp": 1718000301, "jti": "0190…",
 *        "cnf": {"jwk": {…}}, "consent": {"id": "urn:uuid:…", "rev": 1, "hash": "…"},
 *        "authorization_details": [{"type": "urn:comity:consent:1", "grant": "g1", …}],
 *        "status": {"status_list": {"idx": 4711, "uri": "https://federation.example/status/1"}},
 *        "del_depth": 0, "del_max_depth": 1 } */
import type { PublicJwk } from '../crypto/crypto.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'

export const consentTokenType = 'comity-consent+jwt'
/** `type` of the authorization details (RFC 9396 §2.1). */
export const consentDetailType = 'urn:comity:consent:1'
/** Scheme of the `Authorization` field. */
export const consentScheme = 'Comity'
/** Longest life of a token, in seconds. */
export const maxConsentTokenSeconds = 300
/** Longest chain that is read: a root and so many children. */
export const maxDelegationDepth = 8

export interface ConsentTokenClaims {
  /** Root: DID of the holder. Child: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:<t>` of the parent's key (RFC 9278). */
  readonly iss: string
  /** The subject's pairwise id towards the root's bearer. */
  readonly sub: string
  /** DID of the holder. */
  readonly aud: string
  /** DID of the bearer. */
  readonly client_id: string
  /** Seconds. */
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly jti: string
  readonly cnf: { readonly jwk: PublicJwk }
  readonly consent: {
    readonly id: string
    readonly rev: number
    readonly hash: string
    /** Child: stable id of the delegation, the same in each token minted for it. */
    readonly delegation?: string | undefined
  }
  readonly authorization_details: readonly ConsentScope[]
  readonly status?: { readonly status_list: { readonly idx: number; readonly uri: string } } | undefined
  readonly del_depth: number
  readonly del_max_depth: number
  /** Child: SHA-256 (base64url) of the parent's JWS signing input. */
  readonly par_hash?: string | undefined
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  readonly auth_time?: number | undefined
  /** Correlation id, copied into the exchange's record (RFC 8417 §2.2). */
  readonly txn?: string | undefined
}

/** A chain whose signatures, hashes, times, depths and narrowing all hold. */
export interface VerifiedChain {
  readonly root: ConsentTokenClaims
  /** From the first child to the last; empty for the recipient itself. */
  readonly children: readonly ConsentTokenClaims[]
  /** The last token of the chain: the bearer's. */
  readonly leaf: ConsentTokenClaims
  /** Thumbprint (RFC 7638) of the key that the request must be signed with. */
  readonly keyThumbprint: string
  /** Until when all of it holds, in milliseconds since the epoch. */
  readonly expiresMs: number
}
