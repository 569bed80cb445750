/** A decision on its way: what was chosen and by whom, kept sealed between the two steps of the page. */
import type { ConsentGrantor } from '@comity/core/consent/consent-record'
import type { PasskeyOwner } from './passkeys.ts'
import type { PeopleServices } from './people-parts.ts'
import type { PersonDecision, PersonDraft } from './ports.ts'
import type { Session } from './sessions.ts'

export interface WaitingDecision {
  readonly draft: PersonDraft
  readonly by: PersonDecision
}

/** Keeps the decision in the session. */
export async function keepDecision(
  { store, vault }: PeopleServices,
  session: Session,
  decision: WaitingDecision,
): Promise<void> {
  const key = await vault.open(session.subject)
  await store.saveDecision(session.hash, key.seal(JSON.stringify(decision)))
}

/** The decision that waits for confirmation, if there is one. */
export async function findDecision(
  { vault }: PeopleServices,
  { decision }: Session,
): Promise<WaitingDecision | undefined> {
  const text = decision === undefined ? undefined : await vault.unseal(decision)
  return text === undefined ? undefined : (JSON.parse(text) as WaitingDecision)
}

/** Whom the session's link lets decide besides the subject. */
export async function grantorOf({ vault }: PeopleServices, { grantor }: Session): Promise<ConsentGrantor | undefined> {
  const text = grantor === undefined ? undefined : await vault.unseal(grantor)
  return text === undefined ? undefined : (JSON.parse(text) as ConsentGrantor)
}

/** Whose passkey confirms a decision. */
export function ownerOf({ role, grantor }: PersonDecision): PasskeyOwner {
  return role === 'subject' || grantor === undefined ? 'self' : { representative: grantor.id }
}
