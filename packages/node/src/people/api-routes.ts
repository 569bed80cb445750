/** The same for programs: `/v1/me/…` in JSON, by the same session. Changes carry the token of its forms in
 *  `Comity-Form`, which no other site's page can send. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import type { ToldConsent } from './me-page.ts'
import { changeOwn, findOwn, listOwn, tell, type OwnStep } from './own-consents.ts'
import { requireOwnPage, requireSession, type PersonCall } from './people-call.ts'
import type { PeopleServices } from './people-parts.ts'
import type { PersonConsent, PersonUse } from './ports.ts'
import { isFormToken } from './secrets.ts'
import type { Session } from './sessions.ts'

const usesOnPage = 100

/** `GET /v1/me`: the session, with the token that changes need. */
export async function ownSession(_services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { purpose, consent, form } = requireSession(call)
  return jsonReply(200, { purpose, ...(consent !== undefined && { consent }), form })
}

/** `GET /v1/me/consents` */
export async function ownConsents(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const told = await listOwn(services, requireSession(call), call.query.get('before') ?? undefined)
  return jsonReply(200, { consents: told.map(consentView) })
}

/** `GET /v1/me/consents/{id}` */
export async function ownConsent(services: PeopleServices, call: PersonCall, id: string): Promise<Reply> {
  const consent = await findOwn(services, requireSession(call), id)
  const { consents } = services
  const [told, records, events] = await Promise.all([
    tell(services, consent),
    consents.records(id),
    consents.events(id),
  ])
  return jsonReply(200, { ...consentView(told), records, events })
}

/** `GET /v1/me/consents/{id}/uses` */
export async function ownUses(services: PeopleServices, call: PersonCall, id: string): Promise<Reply> {
  const session = requireSession(call)
  const consent = await findOwn(services, session, id)
  return usesReply(services, call, { subject: session.subject, consent: consent.id })
}

/** `GET /v1/me/access-log`: who read what, under all consents that the session may see. */
export async function ownAccessLog(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { subject, purpose, consent } = requireSession(call)
  return usesReply(services, call, { subject, ...(purpose === 'decide' && { consent }) })
}

/** `GET /v1/me/access-log/{exchange}/proof`: that a use stands in the log, to be verified offline. */
export async function useProof(services: PeopleServices, call: PersonCall, exchange: string): Promise<Reply> {
  const session = requireSession(call)
  const use = await services.accessLog.find(exchange)
  const isOwn = use !== undefined && (await isVisible(services, session, use))
  const proof = isOwn ? await services.accessLog.proof(exchange) : undefined
  if (proof === undefined) throw new Problem('not-found', 'there is no such use of yours, or its proof is not made yet')
  return jsonReply(200, proof, ['content-disposition', 'attachment; filename="proof.json"'])
}

async function isVisible(services: PeopleServices, session: Session, use: PersonUse): Promise<boolean> {
  try {
    await findOwn(services, session, use.consent)
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'consent-unknown') return false
    throw error
  }
}

/** `POST /v1/me/consents/{id}:pause`, `:resume`, `:withdraw` */
export async function changeByApi(
  services: PeopleServices,
  call: PersonCall,
  change: { readonly id: string; readonly step: OwnStep },
): Promise<Reply> {
  requireOwnPage(call, services.url)
  const session = requireSession(call)
  if (!isFormToken(call.request.header('comity-form'), session.secret)) {
    throw new Problem('form-refused', 'send the `form` of `GET /v1/me` in `Comity-Form`')
  }
  return jsonReply(200, standing(await changeOwn(services, session, { ...change, method: 'api' })))
}

async function usesReply(
  { accessLog }: PeopleServices,
  { query }: PersonCall,
  filter: { readonly subject: string; readonly consent?: string | undefined },
): Promise<Reply> {
  const before = query.get('before')
  const uses = await accessLog.list({ ...filter, limit: usesOnPage, ...(before !== null && { before }) })
  const erasedMs = await accessLog.erasedMs(filter)
  const erased = erasedMs !== undefined && { erasedBefore: formatDateTime(erasedMs) }
  return jsonReply(200, { uses: uses.map(useView), ...erased })
}

function consentView({ consent, record, recipient }: ToldConsent) {
  return { ...standing(consent), recipient: { id: consent.recipient, name: recipient }, ...(record && { record }) }
}

function standing({ id, state, rev, hash, expiresMs }: PersonConsent) {
  return {
    id,
    state,
    rev,
    ...(hash !== undefined && { hash }),
    ...(expiresMs !== undefined && { expires: formatDateTime(expiresMs) }),
  }
}

function useView({ atMs, exchange, ...use }: PersonUse) {
  const proof = `/v1/me/access-log/${encodeURIComponent(exchange)}/proof`
  return { exchange, at: formatDateTime(atMs), ...use, proof }
}
