/** Verifying a chain of consent tokens with nothing but the holder's key: the shape of two drafts for attenuated tokens
 *  (draft-niyikiza-oauth-attenuating-agent-tokens, draft-asor-wimse-agent-delegation-chain). Whether the consent still
 *  stands, and whether the caller has the last key, is for the caller to check. */
import { importVerifyingKey, sha256Text } from '#crypto'
import type { VerifyingKey } from '../crypto/crypto.ts'
import { jwkThumbprint } from '../crypto/jwk.ts'
import { didOfKeyId } from '../identity/did.ts'
import { verifyCompactJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import type { ParsedChain } from './consent-authorization.ts'
import { maxConsentTokenSeconds, type ConsentTokenClaims, type VerifiedChain } from './consent-claims.ts'
import type { ParsedConsentToken } from './consent-token.ts'
import { narrowingFaults } from './token-narrowing.ts'

export interface ChainFacts {
  /** Own DID of the holder that the chain is presented to. */
  readonly holder: string
  readonly nowMs: number
  /** How much clocks may differ, on either side of a token's life. */
  readonly skewSeconds: number
}

/** Verifies all links: `rootKey` is the holder's key that `parsed.root.kid` names. Throws `consent-token-invalid`, and
 *  `consent-token-expired` for a chain in which nothing is wrong but the time. */
export function verifyConsentChain(parsed: ParsedChain, rootKey: VerifyingKey, facts: ChainFacts): VerifiedChain {
  const { links, root } = parsed
  requireRoot(root, facts.holder)
  requireSigned(root, rootKey)
  for (const [index, child] of links.slice(1).entries()) requireChild(child, links[index] as ParsedConsentToken)
  const leaf = (links.at(-1) as ParsedConsentToken).claims
  const expiresMs = (leaf.exp + facts.skewSeconds) * 1000
  requireTime(links, facts)
  if (facts.nowMs >= expiresMs) throw new Problem('consent-token-expired', 'the consent token has expired')
  return {
    root: root.claims,
    children: links.slice(1).map(({ claims }) => claims),
    leaf,
    keyThumbprint: jwkThumbprint(leaf.cnf.jwk),
    expiresMs,
  }
}

/** `par_hash` of the children of a token. */
export function parentHash(parent: ParsedConsentToken): string {
  return sha256Text(parent.jws.signingInput, 'base64url')
}

function requireRoot({ claims, kid }: ParsedChain['root'], holder: string): void {
  const { iss, aud, del_depth: depth, par_hash: parent, consent } = claims
  if (iss !== holder || aud !== holder) throw invalid('the token is not of and for this holder')
  if (!isKeyOf(kid, iss)) throw invalid("the token's key is not the issuer's")
  if (depth !== 0 || parent !== undefined || consent.delegation !== undefined) {
    throw invalid('the first token of the chain is a delegation')
  }
}

function isKeyOf(kid: string, did: string): boolean {
  try {
    return didOfKeyId(kid) === did
  } catch {
    return false
  }
}

/** Cheap comparisons first: they refuse most nonsense before a signature is looked at. */
function requireChild(child: ParsedConsentToken, parent: ParsedConsentToken): void {
  const faults = narrowingFaults(child.claims, parent.claims)
  if (faults.length > 0) throw invalid(`delegation ${child.claims.del_depth}: ${faults.join('; ')}`)
  if (child.claims.par_hash !== parentHash(parent)) throw invalid('`par_hash` is not of the token before')
  requireSigned(child, importVerifyingKey(parent.claims.cnf.jwk))
}

function requireSigned({ jws }: ParsedConsentToken, key: VerifyingKey): void {
  try {
    verifyCompactJws(jws, key)
  } catch (cause) {
    throw new Problem('consent-token-invalid', 'a signature of the token does not verify', { cause })
  }
}

function requireTime(links: readonly ParsedConsentToken[], { nowMs, skewSeconds }: ChainFacts): void {
  const latest = nowMs / 1000 + skewSeconds
  for (const { claims } of links) {
    if (!isLifeSound(claims)) throw invalid('the times of the token contradict each other, or it lives too long')
    if (claims.iat > latest || claims.nbf > latest) throw invalid('the token lies in the future')
  }
}

function isLifeSound({ iat, nbf, exp }: ConsentTokenClaims): boolean {
  return nbf >= iat && exp > nbf && exp - iat <= maxConsentTokenSeconds
}

function invalid(detail: string): Problem {
  return new Problem('consent-token-invalid', detail)
}
