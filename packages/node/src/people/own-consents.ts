/** The consents that a session may see and change: those of its person, or the one that it decided on. */
import { Problem } from '@comity/core/problems'
import type { ToldConsent } from './me-page.ts'
import { grantorOf } from './decision.ts'
import type { PeopleServices } from './people-parts.ts'
import type { PersonConsent, PersonRequest } from './ports.ts'
import type { Session } from './sessions.ts'

/** Consents on a page; whoever asks often must not push what a person allowed out of reach. */
export const ownOnPage = 100

/** Newest first; `before` is the last id of the page before. */
export async function listOwn(
  services: PeopleServices,
  { purpose, subject, consent }: Session,
  before?: string,
): Promise<ToldConsent[]> {
  const { consents } = services
  const one = purpose === 'decide' ? await consents.find(consent ?? '') : undefined
  const found =
    purpose === 'decide'
      ? [one].filter((row) => row !== undefined)
      : await consents.list({ subject, limit: ownOnPage, ...(before !== undefined && { before }) })
  return Promise.all(found.map((row) => tell(services, row)))
}

/** Throws `consent-unknown` for one that is not the session's to see. */
export async function findOwn({ consents }: PeopleServices, session: Session, id: string): Promise<PersonConsent> {
  const isInScope = session.purpose === 'manage' || session.consent === id
  const found = isInScope ? await consents.find(id) : undefined
  if (found === undefined || found.subject !== session.subject) {
    throw new Problem('consent-unknown', 'there is no such consent of yours')
  }
  return found
}

export async function tell({ consents, names }: PeopleServices, consent: PersonConsent): Promise<ToldConsent> {
  const record = (await consents.records(consent.id)).at(-1)
  const named = record?.parties.find(({ role }) => role === 'recipient')?.name
  const recipient =
    named ?? (await findRequest(consents, consent))?.recipient.name ?? names.participant(consent.recipient)
  return { consent, record, recipient: recipient ?? consent.recipient }
}

/** How the records of a person's newest consents call those who take part, by DID. */
export async function namesInRecords(
  { consents }: PeopleServices,
  subject: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await consents.list({ subject, limit: ownOnPage })
  const records = await Promise.all(rows.map(async ({ id }) => (await consents.records(id)).at(-1)))
  const parties = records.flatMap((record) => record?.parties ?? [])
  return new Map(parties.map(({ id, name }) => [id, name]))
}

/** What was asked; undefined for a request that was erased or forgotten. Throws what is a fault of the node. */
export async function findRequest(
  consents: PeopleServices['consents'],
  { id }: PersonConsent,
): Promise<PersonRequest | undefined> {
  try {
    return await consents.request(id)
  } catch (error) {
    if (error instanceof Problem && error.status < 500) return undefined
    throw error
  }
}

export type OwnStep = 'pause' | 'resume' | 'withdraw'

/** Pauses, resumes or withdraws; it has happened when the promise resolves. Throws `consent-unknown`,
 *  `consent-state`. */
export async function changeOwn(
  services: PeopleServices,
  session: Session,
  change: { readonly id: string; readonly step: OwnStep; readonly method: 'page' | 'api' },
): Promise<PersonConsent> {
  const { consents } = services
  const { id } = await findOwn(services, session, change.id)
  const record = (await consents.records(id)).at(-1)
  if (record === undefined) throw new Problem('consent-state', 'nothing was granted')
  const grantor = await grantorOf(services, session)
  const isGrantor = grantor !== undefined && grantor.id === record.grantor.id
  const actorId = isGrantor ? grantor.id : record.subject.id
  return consents[change.step](id, { by: isGrantor ? 'grantor' : 'subject', actorId, method: change.method })
}
