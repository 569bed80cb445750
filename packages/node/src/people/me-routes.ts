/** The pages of a person's own consents. */
import type { Reply } from '../http/problem-response.ts'
import { html } from './html.ts'
import { consentPage, consentPath, mePage } from './me-page.ts'
import { changeOwn, findOwn, findRequest, listOwn, ownOnPage, tell, type OwnStep } from './own-consents.ts'
import { pageReply, seeOther } from './page.ts'
import { readOwnForm, requireSession, type PersonCall } from './people-call.ts'
import type { PeopleServices } from './people-parts.ts'

const usesOnPage = 50

/** `GET /me` */
export async function showOwn(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const session = requireSession(call)
  const { language, preferences, query } = call
  const { accessLog, names } = services
  const consents = await listOwn(services, session, query.get('before') ?? undefined)
  const last = consents.length === ownOnPage ? consents.at(-1)?.consent.id : undefined
  const more = last === undefined ? undefined : `/me?before=${encodeURIComponent(last)}`
  const hasRights = session.purpose === 'manage' && services.rights?.() !== undefined
  const erasedMs = session.purpose === 'manage' ? await accessLog.erasedMs({ subject: session.subject }) : undefined
  const view = { language, preferences, names, form: session.form, consents, hasRights, erasedMs, more }
  return pageReply(200, mePage(view))
}

/** `GET /me/consents/{uuid}` */
export async function showConsent(services: PeopleServices, call: PersonCall, uuid: string): Promise<Reply> {
  const session = requireSession(call)
  const { language, preferences, query } = call
  const consent = await findOwn(services, session, `urn:uuid:${uuid}`)
  const before = query.get('before') ?? undefined
  const filter = { subject: session.subject, consent: consent.id, limit: usesOnPage }
  const { accessLog, names } = services
  const uses = await accessLog.list({ ...filter, ...(before !== undefined && { before }) })
  const erasedMs = await accessLog.erasedMs({ subject: session.subject, consent: consent.id })
  const last = uses.length === usesOnPage ? uses.at(-1)?.exchange : undefined
  const more = last === undefined ? undefined : `${consentPath(consent.id)}?before=${encodeURIComponent(last)}`
  const told = await tell(services, consent)
  const title = (await findRequest(services.consents, consent))?.title
  return pageReply(
    200,
    consentPage({ language, preferences, names, form: session.form, told, title, uses, erasedMs, more }),
  )
}

/** `POST /me/consents/{uuid}/{step}`: one click, at once. */
export async function changeConsent(
  services: PeopleServices,
  call: PersonCall,
  { uuid, step }: { readonly uuid: string; readonly step: OwnStep },
): Promise<Reply> {
  const { session } = await readOwnForm(call, services)
  await changeOwn(services, session, { id: `urn:uuid:${uuid}`, step, method: 'page' })
  return seeOther('/me')
}

/** `POST /me/logout` */
export async function logOut(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session } = await readOwnForm(call, services)
  await services.sessions.end(session)
  const { language } = call
  const body = html`<p class="lead">${language.texts.loggedOut}</p>`
  const page = { language, title: language.texts.logoutButton, body }
  return pageReply(200, page, ['set-cookie', services.sessions.cookie(undefined)])
}
