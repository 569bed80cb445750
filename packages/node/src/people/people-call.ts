/** One request to the people's listener: its session, its language, and the form it carries, judged before it counts. */
import type { IncomingMessage } from 'node:http'
import { utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import { readBody } from '../http/body.ts'
import { readRequest, type ReceivedRequest } from '../http/received-request.ts'
import { formNames } from './choice-form.ts'
import { pageLanguage, preferredLanguages, type Language } from './language.ts'
import type { PeopleServices } from './people-parts.ts'
import type { Session } from './sessions.ts'
import { isFormToken } from './secrets.ts'

const maxFormBytes = 65_536

export interface PersonCall {
  readonly message: IncomingMessage
  readonly request: ReceivedRequest
  readonly query: URLSearchParams
  readonly session: Session | undefined
  /** The person's languages, best first. */
  readonly preferences: readonly string[]
  readonly language: Language
  /** Of the person, as far as it is known. */
  readonly address: string
}

/** Reads head and session. Throws `malformed-request`. */
export async function readCall(message: IncomingMessage, services: PeopleServices): Promise<PersonCall> {
  const { sessions, endsTls, timeZone } = services
  const request = readRequest(message, endsTls)
  const query = new URLSearchParams(request.query.slice(1))
  const chosen = query.get('lang') ?? undefined
  const asked = preferredLanguages(chosen, request.header('accept-language'))
  const session = await sessions.find(request.header('cookie'), chosen === undefined ? undefined : asked.join(','))
  const preferences = session === undefined ? asked : session.languages.split(',')
  const address = addressOf(request, endsTls)
  return { message, request, query, session, preferences, language: pageLanguage(preferences, timeZone), address }
}

/** What ends TLS in front of the listener adds the address it saw to the end of `X-Forwarded-For`. */
function addressOf(request: ReceivedRequest, endsTls: boolean): string {
  const forwarded = endsTls ? undefined : request.header('x-forwarded-for')?.split(',').at(-1)?.trim()
  return forwarded ?? request.remoteAddress
}

/** Throws `session-required`. */
export function requireSession({ session }: PersonCall): Session {
  if (session === undefined) throw new Problem('session-required', 'there is no session, or it has ended')
  return session
}

/** Throws `form-refused` when another site's page sent the request. Browsers say so in `Sec-Fetch-Site` or `Origin`;
 *  under `Referrer-Policy: no-referrer` the form of a page has `Origin: null`, and its token decides. */
export function requireOwnPage({ request }: PersonCall, url: string): void {
  const site = request.header('sec-fetch-site')
  const origin = request.header('origin')
  const isForeign = (site !== undefined && site !== 'same-origin') || (origin !== undefined && !isOwn(origin, url))
  if (isForeign) throw new Problem('form-refused', 'another page sent this')
}

function isOwn(origin: string, url: string): boolean {
  return origin === url || origin === 'null'
}

/** The form of a session's own page. Throws `session-required`, `form-refused`, `unsupported-media-type`,
 *  `body-too-large`. */
export async function readOwnForm(
  call: PersonCall,
  { url }: PeopleServices,
): Promise<{ readonly session: Session; readonly form: URLSearchParams }> {
  requireOwnPage(call, url)
  const session = requireSession(call)
  const form = await readForm(call)
  if (!isFormToken(form.get(formNames.token) ?? undefined, session.secret)) {
    throw new Problem('form-refused', 'the form is of another session')
  }
  return { session, form }
}

/** A form as browsers send it. */
export async function readForm({ message, request }: PersonCall): Promise<URLSearchParams> {
  const type = request.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    const accepted = ['application/x-www-form-urlencoded']
    throw new Problem('unsupported-media-type', 'send a form', { members: { accepted } })
  }
  return new URLSearchParams(utf8Text(await readBody(message, request.headers, { bytes: maxFormBytes })))
}
