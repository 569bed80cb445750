/** The addresses below `/consents/` of the public listener, for participants whose request is signed. Whoever is no
 *  party to a consent is told the same as if there were none. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { text } from '@comity/core/consent/consent-texts'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { startEvenTime } from '../../http/even-time.ts'
import { jsonReply, problemReply, type Reply } from '../../http/problem-response.ts'
import type { HolderConsents } from './consents.ts'
import type { IssuedToken, TokenSource } from './issue-token.ts'
import { stateProblem } from './consent-steps.ts'
import { isGranted } from './standing.ts'

/** Who signed the request. */
export interface SignedCaller {
  readonly did: string
  readonly keyid: string
}

/** A request whose signature, digest and nonce hold. */
export interface SignedCall {
  readonly id: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly header: (name: string) => string | undefined
  }
  readonly body: Uint8Array
}

export interface ConsentRoutesParts {
  readonly consents: HolderConsents
  /** Asked in turn. */
  readonly tokenSources: readonly TokenSource[]
  readonly resolveKey: (keyid: string, purpose: 'authentication') => Promise<VerifyingKey>
  /** Counts a request for consent by this participant. */
  readonly admitRequest: (did: string) => RequestVerdict
}

/** Whether a participant may ask once more. */
export interface RequestVerdict {
  readonly admitted: boolean
  readonly retryAfterSeconds: number
  /** Fields of the answer that say how the limit stands, name and value in turn. */
  readonly fields: readonly string[]
}

/** Longest body, in bytes: the longest terms as a template, which base64 makes longer, and little else. */
export const maxConsentBodyBytes = 48 * 1024

const id = '(urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'
const noStore = ['cache-control', 'private, no-store']
const revokeBody = z.strictObject({ reason: text(1000).optional() })

type Handler = (parts: ConsentRoutesParts, asked: Asked) => Promise<Reply>

interface Asked {
  readonly caller: SignedCaller
  readonly call: SignedCall
  /** Id in the path; empty where it has none. */
  readonly consent: string
}

const routes: readonly (readonly [method: 'GET' | 'POST', path: RegExp, handler: Handler])[] = [
  ['POST', /^\/consents\/requests$/, takeRequest],
  ['GET', new RegExp(`^/consents/requests/${id}$`), showRequest],
  ['GET', new RegExp(`^/consents/${id}$`), showConsent],
  ['GET', new RegExp(`^/consents/${id}/token$`), giveToken],
  ['POST', new RegExp(`^/consents/${id}/revoke$`), revoke],
]

/** Answers one signed request. Throws the problem that the caller should read. */
export function createConsentRoutes(
  parts: ConsentRoutesParts,
): (caller: SignedCaller, call: SignedCall) => Promise<Reply> {
  return async (caller, call) => {
    const { method, path } = call.request
    const found = routes.flatMap(([allowed, shape, handler]) => {
      const match = shape.exec(path)
      return match === null ? [] : [{ allowed, handler, consent: match[1] ?? '' }]
    })
    const [route] = found
    if (route === undefined) throw new Problem('not-found', 'the node has no such address')
    if (route.allowed !== (method === 'HEAD' ? 'GET' : method)) {
      const allow = route.allowed === 'GET' ? ['GET', 'HEAD'] : [route.allowed]
      throw new Problem('method-not-allowed', 'this address is not for that', { members: { allow } })
    }
    return answerAlike(() => route.handler(parts, { caller, call, consent: route.consent }))
  }
}

/** To find a consent and see that it is another's takes longer than to find none: who is told of none is told as late. */
const refusalAfterMs = 25

async function answerAlike(answer: () => Promise<Reply>): Promise<Reply> {
  const untilLate = startEvenTime(refusalAfterMs)
  try {
    return await answer()
  } catch (error) {
    if (error instanceof Problem && error.code === 'consent-unknown') await untilLate()
    throw error
  }
}

/** Of somebody who was never heard of a key is made first, which takes longer than finding one: every answer takes as
 *  long as the longer way does. */
const answerAfterMs = 100

/** Whatever is asked counts: what is refused cost a signature and a look as well. */
async function takeRequest({ consents, admitRequest }: ConsentRoutesParts, { caller, call }: Asked): Promise<Reply> {
  const { admitted, retryAfterSeconds, fields } = admitRequest(caller.did)
  if (!admitted) {
    const problem = new Problem('rate-limited', 'the limit of requests for consent is reached', {
      members: { retryAfterSeconds },
    })
    return withFields(problemReply(problem, call.id), fields)
  }
  const untilLate = startEvenTime(answerAfterMs)
  const asking = { did: caller.did, idempotencyKey: idempotencyKeyOf(call) }
  const { id: asked, state, lapsesMs } = await consents.requestConsent(bodyOf(call), asking)
  await untilLate()
  return withFields(jsonReply(202, { id: asked, state, lapses: formatDateTime(lapsesMs) }, noStore), fields)
}

function withFields(reply: Reply, fields: readonly string[]): Reply {
  return { ...reply, headers: [...reply.headers, ...fields] }
}

async function showRequest({ consents }: ConsentRoutesParts, { caller, consent }: Asked): Promise<Reply> {
  const receipt = await consents.requestOf(consent, caller.did)
  if (receipt === undefined) throw unknown()
  return jsonReply(200, { id: receipt.id, state: receipt.state, lapses: formatDateTime(receipt.lapsesMs) }, noStore)
}

async function showConsent({ consents }: ConsentRoutesParts, { caller, consent }: Asked): Promise<Reply> {
  const shown = await consents.showTo(consent, caller.did)
  if (shown === undefined) throw unknown()
  return jsonReply(200, shown, noStore)
}

async function giveToken({ tokenSources, resolveKey }: ConsentRoutesParts, asked: Asked): Promise<Reply> {
  const { did, keyid } = asked.caller
  const { jwk } = await resolveKey(keyid, 'authentication')
  let issued: IssuedToken | undefined
  const [, refused] = /^"([\w-]{43})"$/.exec(asked.call.request.header('if-none-match') ?? '') ?? []
  for (const source of tokenSources) issued ??= await source.tokenFor(asked.consent, { did, jwk, refused })
  if (issued === undefined) throw unknown()
  return jsonReply(200, { token: issued.token, expires: issued.expires }, noStore)
}

/** The recipient gives the consent up; done already is done. A request cannot be taken back: how that went would tell
 *  what became of it. */
async function revoke({ consents }: ConsentRoutesParts, { caller, call, consent }: Asked): Promise<Reply> {
  const parsed = revokeBody.safeParse(call.body.length === 0 ? {} : bodyOf(call))
  if (!parsed.success)
    throw new Problem('malformed-request', 'only `reason` is taken, a text of at most 1000 characters')
  const known = await consents.find(consent)
  if (known?.recipient !== caller.did) throw unknown()
  if (known.rev === 0) throw await undecided(consents, known, caller)
  const { reason: words } = parsed.data
  const reason = { code: 'given-up', ...(words !== undefined && { text: words }) }
  const change = { by: 'recipient', actorId: caller.did, method: 'wire', reason } as const
  const { state } = isGranted(known.state) ? await consents.revoke(consent, change) : known
  return jsonReply(200, { id: consent, state }, noStore)
}

async function undecided(consents: HolderConsents, { id: consent }: { id: string }, { did }: SignedCaller) {
  const receipt = await consents.requestOf(consent, did)
  return receipt === undefined ? unknown() : stateProblem(receipt.state)
}

/** Throws `body-too-large`, `unsupported-media-type`, `malformed-request`. */
function bodyOf({ body, request }: SignedCall): unknown {
  if (body.length > maxConsentBodyBytes) {
    throw new Problem('body-too-large', `the body is larger than ${maxConsentBodyBytes} bytes`)
  }
  if (request.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new Problem('unsupported-media-type', 'send `application/json`', {
      members: { accepted: ['application/json'] },
    })
  }
  return parseJson(utf8Text(body))
}

/** A structured-field string (RFC 9651), as the drafts on the field have it. */
function idempotencyKeyOf({ request }: SignedCall): string | undefined {
  const field = request.header('idempotency-key')
  if (field === undefined) return undefined
  const [, key] = /^"([\x20\x21\x23-\x5b\x5d-\x7e]{1,128})"$/.exec(field) ?? []
  if (key === undefined) {
    throw new Problem('idempotency-key-invalid', 'the field `idempotency-key` is not a quoted string')
  }
  return key
}

function unknown(): Problem {
  return new Problem('consent-unknown', 'no consent of yours has this id')
}
