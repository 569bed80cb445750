/** Whom an event `consent-delegated` is about, as this node knows them: its log keeps the chain under their key. */
import { consentDelegatedPayload } from '@comity/core/events/event-types'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import type { ConsentsParts } from '../consent/holder/consent-ports.ts'
import { openKey } from '../consent/holder/consent-steps.ts'
import type { SubjectKey } from '../vault/vault.ts'

/** Of an event whose handlers found it right; undefined when the person was erased, or it concerns this node neither as
 *  holder nor as delegate. */
export async function personOfDelegation(
  { did, vault, store }: Pick<ConsentsParts, 'did' | 'vault' | 'store'>,
  payload: Readonly<Record<string, unknown>>,
): Promise<SubjectKey | undefined> {
  const { holder, consent, delegate, token } = consentDelegatedPayload.parse(payload)
  if (holder === did) {
    const subject = (await store.find(consent))?.subject
    return subject === undefined ? undefined : openKey(vault, subject)
  }
  const leaf = delegate === did ? parseConsentChain(token).links.at(-1) : undefined
  return leaf && openKey(vault, vault.handleOf(leaf.claims.sub))
}
