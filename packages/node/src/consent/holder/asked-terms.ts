/** What a recipient asked for, resolved: the terms of a template are put in its place, and everybody is named. This is
 *  what is kept, sealed, of a request. */
import type { ConsentGrant, ConsentGrantor, ConsentParty, ConsentRecord } from '@comity/core/consent/consent-record'
import type { LocalisedText } from '@comity/core/consent/consent-record'
import type { ConsentRequest } from '@comity/core/consent/consent-request'
import { Problem } from '@comity/core/problems'
import type { ConsentsParts } from './consent-ports.ts'
import type { ConsentRequestView } from '../consent-service.ts'
import type { StoredConsent } from './consent-store.ts'
import { standingAt } from './standing.ts'

export interface AskedTerms {
  /** The request as it came. */
  readonly request: ConsentRequest
  /** Its hash. */
  readonly hash: string
  readonly template?: ConsentRecord['template']
  /** What the template calls itself. */
  readonly title?: LocalisedText | undefined
  readonly grants: readonly ConsentGrant[]
  readonly notice: { readonly version: string; readonly text: LocalisedText; readonly uri?: string | undefined }
  readonly duration: string
  /** The recipient first; the holder is not among them. */
  readonly parties: readonly ConsentParty[]
  /** Who must decide for the subject; anybody who may when absent. */
  readonly capacity?: ConsentGrantor['capacity'] | undefined
}

const capacities: Readonly<Record<ConsentRecord['subject']['type'], readonly ConsentGrantor['capacity'][]>> = {
  person: ['self', 'guardian', 'attorney'],
  child: ['guardian', 'attorney'],
  org: ['officer', 'attorney'],
  device: ['self', 'attorney', 'officer'],
}

/** Who may decide: a child's guardian, an organisation's officer, else the person or whom they empowered; where the
 *  request says who must, nobody else. */
export function whoDecides({ capacity, request }: AskedTerms): readonly ConsentGrantor['capacity'][] {
  return capacity === undefined ? capacities[request.subject.type] : [capacity]
}

/** The terms of a consent; undefined when the subject was erased or the request forgotten. */
export async function findTerms(
  { store, vault }: Pick<ConsentsParts, 'store' | 'vault'>,
  id: string,
): Promise<AskedTerms | undefined> {
  const stored = await store.findRequest(id)
  const text = stored && stored.body !== '' ? await vault.unseal(stored.body) : undefined
  return text === undefined ? undefined : (JSON.parse(text) as AskedTerms)
}

/** Likewise. Throws `subject-erased`. */
export async function loadTerms(parts: Pick<ConsentsParts, 'store' | 'vault'>, id: string): Promise<AskedTerms> {
  const terms = await findTerms(parts, id)
  if (terms === undefined) throw new Problem('subject-erased', 'the request is kept no more')
  return terms
}

/** What a person or an operator is shown of a request. */
export function requestView(consent: StoredConsent, terms: AskedTerms, nowMs: number): ConsentRequestView {
  const [recipient] = terms.parties
  return {
    id: consent.id,
    state: standingAt(consent, nowMs).state,
    recipient: {
      did: consent.recipient,
      name: recipient?.name ?? consent.recipient,
      ...(recipient?.country !== undefined && { country: recipient.country }),
    },
    kind: terms.request.kind,
    ...(terms.title !== undefined && { title: terms.title }),
    notice: terms.notice,
    grants: terms.grants,
    duration: terms.duration,
    requestedMs: consent.requestedMs,
    lapsesMs: consent.lapsesMs,
  }
}
