/** The page where a person decides: opened by a link, answered in two steps, confirmed with a passkey or without. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseJson } from '@comity/core/bytes/json'
import type { ConsentGrantor, ConsentProof } from '@comity/core/consent/consent-record'
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import { formNames, readChoice, timesFor, type FormFault } from './choice-form.ts'
import { choicePage, choosableOf, type ChoiceView } from './choice-page.ts'
import { findDecision, grantorOf, keepDecision, ownerOf, type WaitingDecision } from './decision.ts'
import { invalidLink } from './links.ts'
import { managePage } from './manage-page.ts'
import { localised } from './names.ts'
import { pageReply, seeOther } from './page.ts'
import { readForm, readOwnForm, requireOwnPage, requireSession, type PersonCall } from './people-call.ts'
import type { PeopleServices } from './people-parts.ts'
import type { StoredLink } from './people-store.ts'
import type { PersonConsent, PersonDecision, PersonRequest } from './ports.ts'
import { reviewPage } from './review-page.ts'
import { secretHash } from './secrets.ts'
import type { Session } from './sessions.ts'
import { statePage } from './state-page.ts'

/** `GET /c/{secret}`. Uses nothing up: programs that look at people's mail open links too. */
export async function openLink(services: PeopleServices, call: PersonCall, secret: string): Promise<Reply> {
  const link = await findLink(services, call, secret)
  if (link === undefined) return seeOther('/c/done')
  if (link.purpose === 'manage') {
    const entry = services.sessions.entry(call.request.header('cookie'))
    const page = managePage(call.language, { action: `/c/${secret}`, form: entry.form })
    return pageReply(200, page, ['set-cookie', entry.cookie])
  }
  const consent = await services.consents.find(link.consent ?? '')
  if (consent === undefined) throw invalidLink()
  // Decided in the portal, or by another link: this one opens nothing any more, in whosever hands it is.
  if (!isOpen(consent) && call.session?.link !== link.hash) throw invalidLink()
  // Of a person who was erased no session is begun.
  await services.consents.request(consent.id)
  const session = await sessionOf(services, call, { link, subject: consent.subject })
  const headers = ['set-cookie', services.sessions.cookie(session)]
  const opened = { ...call, session }
  return isOpen(consent)
    ? pageReply(200, choicePage(await choiceView(services, opened, session)), headers)
    : pageReply(200, statePage({ language: call.language, consent, linkExpiresMs: undefined }), headers)
}

/** The link, or undefined when it was used up by the session that asks again. Throws `link-invalid`, `rate-limited`. */
async function findLink(
  { links, guesses, store }: PeopleServices,
  { address, session }: PersonCall,
  secret: string,
): Promise<StoredLink | undefined> {
  guesses.require(address)
  try {
    return await links.find(secret)
  } catch (error) {
    if (session !== undefined && session.consent !== undefined && (await isUsedBy(store, session, secret))) {
      return undefined
    }
    guesses.count(address)
    throw error
  }
}

async function isUsedBy(store: PeopleServices['store'], session: Session, secret: string): Promise<boolean> {
  const link = await store.findLink(session.link)
  return link?.usedMs !== undefined && link.hash === secretHash(secret)
}

/** The running session of the same link, so that a second window does not disturb the first; else a new one. */
async function sessionOf(
  { sessions }: PeopleServices,
  { session, preferences }: PersonCall,
  opened: { readonly link: StoredLink; readonly subject: string },
): Promise<Session> {
  if (session?.link === opened.link.hash) return session
  return sessions.open({ ...opened, languages: preferences.join(',') })
}

/** `POST /c/{secret}`: a link to all consents counts once, by the press of a button. */
export async function enterByLink(services: PeopleServices, call: PersonCall, secret: string): Promise<Reply> {
  requireOwnPage(call, services.url)
  // A second press of the button: the browser is in by the first already.
  const { session: running } = call
  if (running?.purpose === 'manage' && (await isUsedBy(services.store, running, secret))) return seeOther('/me')
  const link = await findLink(services, call, secret)
  requireEntry(services, call, await readForm(call))
  if (link?.purpose !== 'manage' || link.subject === undefined) throw invalidLink()
  await services.links.use(link)
  const session = await services.sessions.open({
    link,
    subject: link.subject,
    languages: call.preferences.join(','),
  })
  return seeOther('/me', ['set-cookie', services.sessions.cookie(session)])
}

/** Else another site's page could put its visitors into a session of somebody else. Throws `form-refused`. */
function requireEntry({ sessions }: PeopleServices, { request }: PersonCall, form: URLSearchParams): void {
  if (request.header('sec-fetch-site') === 'same-origin') return
  if (sessions.isEntry(request.header('cookie'), form.get(formNames.token) ?? undefined)) return
  throw new Problem('form-refused', 'the form is not of the page that this browser was shown')
}

/** `GET /c`: the first step. */
export async function showChoice(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, consent } = await decidedOn(services, call)
  if (!isOpen(consent)) return seeOther('/c/done')
  return pageReply(200, choicePage(await choiceView(services, call, session)))
}

/** `POST /c/decide`: what was ticked, or one of the other two buttons. */
export async function decide(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, form } = await readOwnForm(call, services)
  const { consent } = await decidedOn(services, call)
  if (!isOpen(consent)) return seeOther('/c/done')
  const act = form.get('act')
  if (act === 'grant') return chosen(services, { ...call, session }, form)
  if (act !== 'refuse' && act !== 'later') throw new Problem('malformed-request', 'no button was pressed')
  const by = await decisionBy(services, { ...call, session }, undefined)
  await services.consents.present(consent.id, by)
  if (act === 'later') await services.consents.defer(consent.id, by)
  else {
    await services.consents.refuse(consent.id, by)
    await useUp(services, session)
  }
  await services.store.saveDecision(session.hash, undefined)
  return seeOther('/c/done')
}

type CallInSession = PersonCall & { readonly session: Session }

async function chosen(services: PeopleServices, call: CallInSession, form: URLSearchParams): Promise<Reply> {
  const { session } = call
  const view = await choiceView(services, call, session)
  const { choosable, times, capacities, request } = view
  const nowMs = services.clock.now()
  const verdict = readChoice(form, { choosable, times, capacities, duration: request.duration, nowMs })
  if (!('choice' in verdict)) return faulty(view, verdict.faults, form)
  const by = await decisionBy(services, call, verdict.capacity)
  await services.consents.present(request.id, by)
  const draft = await services.consents.draft(request.id, verdict.choice, by)
  await keepDecision(services, session, { draft, by })
  return seeOther('/c/review')
}

function faulty(view: ChoiceView, faults: readonly FormFault[], ticked: URLSearchParams): Reply {
  return pageReply(422, choicePage({ ...view, faults, ticked }))
}

/** `GET /c/review`: the second step. */
export async function showReview(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, consent } = await decidedOn(services, call)
  const waiting = await findDecision(services, session)
  if (!isOpen(consent)) return seeOther('/c/done')
  if (waiting === undefined) return seeOther('/c')
  return reviewReply(services, { ...call, session }, { waiting, isChanged: false })
}

async function reviewReply(
  { consents, passkeys, names }: PeopleServices,
  { session, language, preferences }: CallInSession,
  { waiting, isChanged }: { readonly waiting: WaitingDecision; readonly isChanged: boolean },
): Promise<Reply> {
  const { draft } = waiting
  const request = await consents.request(draft.record.id)
  const given = new Set(draft.record.grants.map(({ grant }) => grant))
  const notGiven = request.grants.filter(({ grant, effect }) => effect === 'permit' && !given.has(grant))
  const hasPasskeys = passkeys.areKnown
  const view = { language, preferences, names, draft, request, notGiven, form: session.form, hasPasskeys, isChanged }
  return pageReply(isChanged ? 409 : 200, reviewPage(view))
}

/** `POST /c/confirm`: grants what was shown, by the passkey's assertion or by the link alone. A choice that was changed
 *  in another window is shown, not granted. */
export async function confirm(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, form } = await readOwnForm(call, services)
  const { consent } = await decidedOn(services, call)
  const waiting = await findDecision(services, session)
  if (!isOpen(consent)) return seeOther('/c/done')
  if (waiting === undefined) return seeOther('/c')
  const { draft, by } = waiting
  if (form.get('hash') !== draft.hash) {
    return reviewReply(services, { ...call, session }, { waiting, isChanged: true })
  }
  const proof = await proofOf(services, session, { waiting, assertion: form.get('assertion') ?? '' })
  await services.consents.grant(draft, proof, by)
  await useUp(services, session)
  await services.store.saveDecision(session.hash, undefined)
  return seeOther('/c/done')
}

async function proofOf(
  { passkeys, clock }: PeopleServices,
  session: Session,
  { waiting, assertion }: { readonly waiting: WaitingDecision; readonly assertion: string },
): Promise<ConsentProof> {
  const { draft, by } = waiting
  if (assertion !== '') {
    return passkeys.proof(session, ownerOf(by), { draft, assertion: parseJson(assertion) })
  }
  const at = formatDateTime(clock.now())
  const value = { channel: 'one-time-link', authTime: Math.floor(session.openedMs / 1000) }
  return { by: draft.record.grantor.id, role: by.role, type: 'link', at, value }
}

/** `GET /c/done`: where it stands. */
export async function showState(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, consent } = await decidedOn(services, call)
  const link = await services.store.findLink(session.link)
  const linkExpiresMs = link?.usedMs === undefined ? link?.expiresMs : undefined
  return pageReply(200, statePage({ language: call.language, consent, linkExpiresMs }))
}

/** `POST /c/passkey/next`: what the browser asks the person's device for. */
export async function nextPasskeyStep(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, form } = await readOwnForm(call, services)
  const { draft, by } = await requireDecision(services, session, form)
  return jsonReply(200, await services.passkeys.next(session, ownerOf(by), draft.hash))
}

/** `POST /c/passkey/register`: keeps the passkey that the device made; the next step is to sign. */
export async function registerPasskey(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { session, form } = await readOwnForm(call, services)
  const { draft, by } = await requireDecision(services, session, form)
  await services.passkeys.register(session, ownerOf(by), parseJson(form.get('registration') ?? ''))
  return jsonReply(200, await services.passkeys.next(session, ownerOf(by), draft.hash))
}

async function requireDecision(
  services: PeopleServices,
  session: Session,
  form: URLSearchParams,
): Promise<WaitingDecision> {
  const waiting = await findDecision(services, session)
  if (waiting === undefined || waiting.draft.hash !== form.get('hash')) {
    throw new Problem('consent-state', 'the decision was changed or made in another window')
  }
  return waiting
}

const isOpen = ({ state }: PersonConsent): boolean => state === 'requested' || state === 'deferred'

/** The consent that the session is to decide on. Throws `session-required`, `consent-unknown`. */
async function decidedOn(
  { consents }: PeopleServices,
  call: PersonCall,
): Promise<{ readonly session: Session; readonly consent: PersonConsent }> {
  const session = requireSession(call)
  const consent = session.consent === undefined ? undefined : await consents.find(session.consent)
  if (consent === undefined) throw new Problem('consent-unknown', 'this session is not for one decision')
  return { session, consent }
}

async function choiceView(services: PeopleServices, call: PersonCall, session: Session): Promise<ChoiceView> {
  const { consents, holder, fieldsOf, names, clock } = services
  const request = await consents.request(session.consent ?? '')
  return {
    language: call.language,
    preferences: call.preferences,
    names,
    request,
    holder,
    choosable: choosableOf(request, fieldsOf),
    times: timesFor(request.duration, clock.now()),
    capacities: capacitiesOf(await grantorOf(services, session)),
    form: session.form,
  }
}

/** A representative says in which role they decide; where the link names none, there is nothing to choose. */
function capacitiesOf(grantor: ConsentGrantor | undefined): ConsentGrantor['capacity'][] {
  return grantor === undefined ? [] : [...new Set(['self' as const, grantor.capacity])]
}

async function decisionBy(
  services: PeopleServices,
  { session, preferences }: CallInSession,
  capacity: string | undefined,
): Promise<PersonDecision> {
  const request: PersonRequest = await services.consents.request(session.consent ?? '')
  const grantor = await grantorOf(services, session)
  const isGrantor = grantor !== undefined && (capacity ?? grantor.capacity) === grantor.capacity
  const seen = { lang: localised(request.notice.text, preferences).lang, presentedMs: session.openedMs }
  return isGrantor && grantor.capacity !== 'self'
    ? { role: 'grantor', grantor, method: 'page', ...seen }
    : { role: 'subject', method: 'page', ...seen }
}

/** What was decided counts already; that the link was used up in another window changes nothing. A program that opened
 *  the link in the person's mail has a session too: only the one that decided goes on. */
async function useUp({ links, store }: PeopleServices, { link, hash }: Session): Promise<void> {
  await store.deleteOtherSessions({ link, hash })
  await links.use({ hash: link }).catch((error: unknown) => {
    if (!(error instanceof Problem && error.code === 'link-invalid')) throw error
  })
}
