/** A partner's calls about a person: the consent that it asked for, and the token that it shows. */

import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import type { ConsentToken, HolderConsents } from './partner.ts'

export const purpose = 'https://w3id.org/dpv#ResearchAndDevelopment'
export const grant = 'energy'

export const consentGrants: readonly ConsentScope[] = [
  {
    grant,
    effect: 'permit',
    purposes: [purpose],
    actions: ['read'],
    products: ['bench-personal'],
    domains: ['energy'],
    onward: { allow: 'any', maxDepth: 2 },
  },
]

/** What the person is asked for; `reference` is theirs at the holder. */
export function consentRequest(reference: string): object {
  return {
    subject: { reference, type: 'person' },
    kind: 'personal',
    grants: consentGrants,
    notice: { version: '1', text: { en: 'We study when households use energy.' } },
    duration: 'P30D',
    recipient: { name: 'Energy Lab', country: 'DE' },
  }
}

/** A token with less than this left is not begun a run with. */
const leastLifeMs = 60_000

/** Gives a token of the consent, and another one in time before it expires. */
export function keepToken({ token }: HolderConsents, consent: string): () => Promise<ConsentToken> {
  let kept: ConsentToken | undefined
  return async () => {
    if (kept === undefined || kept.expires < Date.now() + leastLifeMs) kept = await token(consent)
    return kept
  }
}

/** The fields of a call under a consent. */
export function consentedFields({ token }: Pick<ConsentToken, 'token'>): Record<string, string> {
  return { 'comity-purpose': purpose, authorization: consentAuthorization(token) }
}
