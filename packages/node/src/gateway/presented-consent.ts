/** The consent that a request of this node's carries a token of. */
import { isConsentAuthorization, parseConsentAuthorization } from '@comity/core/consent-token/consent-authorization'

export interface PresentedConsent {
  readonly id: string
  /** The subject's pairwise id towards the token's first bearer. */
  readonly subject: string
}

/** Read from the field `Authorization`, not verified: the token is this node's own. Throws `consent-token-invalid`. */
export function presentedConsent(authorization: string | undefined): PresentedConsent | undefined {
  if (authorization === undefined || !isConsentAuthorization(authorization)) return undefined
  const { claims } = parseConsentAuthorization(authorization).root
  return { id: claims.consent.id, subject: claims.sub }
}
