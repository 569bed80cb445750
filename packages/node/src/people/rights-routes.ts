/** A person's rights: `/rights/requests` in JSON for programs, `/me/rights` as pages, both by the person's session. A
 *  session that was opened to decide on one request does not count: it need not be the person's own. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Bytes, utf8Text } from '@comity/core/bytes/utf8'
import { rightsTypes, type RightsType } from '@comity/core/rights/rights-request'
import { Problem } from '@comity/core/problems'
import { readBody } from '../http/body.ts'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import { namesInRecords } from './own-consents.ts'
import { pageReply, seeOther } from './page.ts'
import { readOwnForm, requireOwnPage, requireSession, type PersonCall } from './people-call.ts'
import type { PeopleServices } from './people-parts.ts'
import { askPage, correctionRows, otherLinkPage, requestPage, rightsPage } from './rights-pages.ts'
import type { PersonRequestView, PersonRights } from './rights-ports.ts'
import { isFormToken } from './secrets.ts'
import type { Session } from './sessions.ts'

const maxRequestBytes = 65_536
const onPage = 100

type RightsRoute = (services: PeopleServices, call: PersonCall, parameters: readonly string[]) => Promise<Reply>

const id = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'
const right = `(${rightsTypes.join('|')})`

/** Addresses of both, for the table of the listener. */
export const rightsRoutes: readonly (readonly ['GET' | 'POST' | 'DELETE', RegExp, RightsRoute])[] = [
  ['GET', /^\/rights\/requests$/, listByApi],
  ['POST', /^\/rights\/requests$/, openByApi],
  ['GET', new RegExp(`^/rights/requests/${id}$`), showByApi],
  ['DELETE', new RegExp(`^/rights/requests/${id}$`), revokeByApi],
  ['GET', new RegExp(`^/rights/requests/${id}/bundle$`), bundleReply],
  ['GET', /^\/me\/rights$/, ofPerson(showRights)],
  ['GET', new RegExp(`^/me/rights/ask/${right}$`), ofPerson(showForm)],
  ['POST', new RegExp(`^/me/rights/ask/${right}$`), ofPerson(ask)],
  ['GET', new RegExp(`^/me/rights/${id}$`), ofPerson(showRequest)],
  ['POST', new RegExp(`^/me/rights/${id}/revoke$`), ofPerson(takeBack)],
]

function rightsOf({ rights }: PeopleServices): PersonRights {
  const found = rights?.()
  if (found === undefined) throw new Problem('not-found', 'there is no such page')
  return found
}

/** Throws `session-required`. */
function requirePerson(call: PersonCall): Session {
  const session = requireSession(call)
  if (session.purpose === 'manage') return session
  throw new Problem('session-required', 'this link is for one decision; ask for a link to all that is yours')
}

/** A page for the person: who came by a link to one decision reads what to do instead. */
function ofPerson(route: RightsRoute): RightsRoute {
  return async (services, call, parameters) => {
    rightsOf(services)
    const isForDecision = call.session !== undefined && call.session.purpose !== 'manage'
    return isForDecision
      ? pageReply(403, otherLinkPage(call.language, services.holder))
      : route(services, call, parameters)
  }
}

function requireFormToken(call: PersonCall, { url }: PeopleServices): Session {
  requireOwnPage(call, url)
  const session = requirePerson(call)
  if (isFormToken(call.request.header('comity-form'), session.secret)) return session
  throw new Problem('form-refused', 'send the `form` of `GET /v1/me` in `Comity-Form`')
}

async function listByApi(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { subject } = requirePerson(call)
  const before = call.query.get('before') ?? undefined
  const requests = await rightsOf(services).list({ subject, before, limit: onPage })
  return jsonReply(200, { requests: requests.map(view) })
}

async function openByApi(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { subject } = requireFormToken(call, services)
  const input = await readJson(call)
  return jsonReply(202, view(await rightsOf(services).open({ subject }, input, 'api')))
}

async function showByApi(
  services: PeopleServices,
  call: PersonCall,
  [request = '']: readonly string[],
): Promise<Reply> {
  return jsonReply(200, view(await rightsOf(services).show(request, requirePerson(call).subject)))
}

async function revokeByApi(services: PeopleServices, call: PersonCall, [request = '']: readonly string[]) {
  const { subject } = requireFormToken(call, services)
  return jsonReply(200, view(await rightsOf(services).revoke(request, subject)))
}

async function bundleReply(services: PeopleServices, call: PersonCall, [request = '']: readonly string[]) {
  const text = await rightsOf(services).bundle(request, requirePerson(call).subject)
  const headers = ['content-type', 'application/json', 'content-disposition', 'attachment; filename="answer.json"']
  return { status: 200, headers, body: utf8Bytes(text) }
}

async function showRights(services: PeopleServices, call: PersonCall): Promise<Reply> {
  const { subject } = requirePerson(call)
  const requests = await rightsOf(services).list({ subject, limit: onPage })
  return pageReply(200, rightsPage({ language: call.language, requests }))
}

async function showForm(services: PeopleServices, call: PersonCall, [type = '']: readonly string[]): Promise<Reply> {
  return formReply(services, call, { type: type as RightsType, form: requirePerson(call).form })
}

function formReply(
  services: PeopleServices,
  { language, preferences }: PersonCall,
  { type, form, isInvalid = false }: { readonly type: RightsType; readonly form: string; readonly isInvalid?: boolean },
): Reply {
  const fields = rightsOf(services).fields()
  const reader = { language, preferences, names: services.names }
  return pageReply(isInvalid ? 422 : 200, askPage({ ...reader, form, type, fields, isInvalid }))
}

async function ask(services: PeopleServices, call: PersonCall, [name = '']: readonly string[]): Promise<Reply> {
  const type = name as RightsType
  const { session, form } = await readOwnForm(call, services)
  const { subject } = requirePerson(call)
  const again = () => formReply(services, call, { type, form: session.form, isInvalid: true })
  // The box is not ticked by itself: an erasure is never asked for by a slip.
  if (type === 'erase' && form.get('sure') !== 'yes') return again()
  try {
    const { id: made } = await rightsOf(services).open({ subject }, inputOf(type, form), 'page')
    return seeOther(`/me/rights/${made}`)
  } catch (error) {
    if (error instanceof Problem && error.code === 'rights-request-invalid') return again()
    throw error
  }
}

function inputOf(type: RightsType, form: URLSearchParams): unknown {
  const message = form.get('message')?.trim() ?? ''
  const rows = Array.from({ length: correctionRows }, (_, index) => [
    form.get(`field-${index}`) ?? '',
    form.get(`value-${index}`)?.trim() ?? '',
  ])
  const corrections = Object.fromEntries(rows.filter(([field]) => field !== ''))
  return { type, ...(message !== '' && { message }), ...(type === 'rectify' && { corrections }) }
}

async function showRequest(services: PeopleServices, call: PersonCall, [request = '']: readonly string[]) {
  const { subject, form } = requirePerson(call)
  const shown = await rightsOf(services).show(request, subject)
  const { language, preferences } = call
  const parties = shown.duties.length > 0 ? await namesInRecords(services, subject) : new Map<string, string>()
  return pageReply(200, requestPage({ language, preferences, names: services.names, form, request: shown, parties }))
}

async function takeBack(services: PeopleServices, call: PersonCall, [request = '']: readonly string[]): Promise<Reply> {
  await readOwnForm(call, services)
  await rightsOf(services).revoke(request, requirePerson(call).subject)
  return seeOther(`/me/rights/${request}`)
}

/** Throws `unsupported-media-type`, `body-too-large`, `malformed-request`. */
async function readJson({ message, request }: PersonCall): Promise<unknown> {
  if (request.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new Problem('unsupported-media-type', 'send JSON', { members: { accepted: ['application/json'] } })
  }
  return parseJson(utf8Text(await readBody(message, request.headers, { bytes: maxRequestBytes })))
}

/** Times are ISO 8601. */
function view({ receivedMs, dueMs, closedMs, liftedMs, isOverdue, tasks, duties, ...known }: PersonRequestView) {
  const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : formatDateTime(ms))
  const { id: request, type, status, extension, request: asked } = known
  return {
    id: request,
    type,
    status,
    received: timeOf(receivedMs),
    due: timeOf(dueMs),
    overdue: isOverdue,
    extension,
    closed: timeOf(closedMs),
    lifted: timeOf(liftedMs),
    request: asked,
    stores: tasks.map(({ product, state, ground }) => ({ product, state, ground })),
    recipients: duties.map(({ debtor, kind, state, outcome, receipt }) => ({ debtor, kind, state, outcome, receipt })),
    ...(closedMs !== undefined && { bundle: `/rights/requests/${request}/bundle` }),
  }
}
