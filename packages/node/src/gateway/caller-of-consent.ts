/** The caller as consents know it: by DID, key and country. */
import type { PublicJwk, VerifyingKey } from '@comity/core/crypto/crypto'
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import type { Caller } from './inbound-call.ts'
import type { CallerOfConsent, PartnerOfGateway } from './ports.ts'

/** Keys stay in memory for as long as they are used; so do their thumbprints. */
const thumbprints = new WeakMap<PublicJwk, string>()

function thumbprintOf({ jwk }: VerifyingKey): string {
  const known = thumbprints.get(jwk)
  if (known !== undefined) return known
  const thumbprint = jwkThumbprint(jwk)
  thumbprints.set(jwk, thumbprint)
  return thumbprint
}

/** What a consent is bound to of a caller whose signature verified. */
export function callerOfConsent(
  { did, key }: Caller,
  partnerOf: (did: string) => PartnerOfGateway | undefined,
): CallerOfConsent {
  return { did, keyThumbprint: thumbprintOf(key), country: partnerOf(did)?.country }
}
