/** The consent that a request of this node's carries a token of. */
import { presentedClaims } from '@comity/core/consent-token/consent-authorization'

export interface PresentedConsent {
  readonly id: string
  /** The subject's pairwise id towards the token's first bearer. */
  readonly subject: string
}

/** Tokens are presented again and again while they live; the oldest are forgotten first. */
const known = new Map<string, PresentedConsent>()
const maxKnown = 1_000

/** Read from the field `Authorization`, not verified: the token is this node's own. Throws `consent-token-invalid`. */
export function presentedConsent(authorization: string | undefined): PresentedConsent | undefined {
  if (authorization === undefined) return undefined
  const remembered = known.get(authorization)
  if (remembered !== undefined) return remembered
  const claims = presentedClaims(authorization)
  if (claims === undefined) return undefined
  const presented = { id: claims.consent.id, subject: claims.sub }
  known.set(authorization, presented)
  if (known.size > maxKnown) known.delete(known.keys().next().value as string)
  return presented
}
