/** Outbound: a local application's call to a partner, from the listener on loopback to the verified answer. The steps
 *  of design: authenticate the application, find the agreement, sign and send, verify, record, hand over. */
import { parseActor } from '@comity/core/exchange/actor'
import type { ExchangeTrace, Tracer } from '../../telemetry/traces.ts'
import type { IncomingMessage } from 'node:http'
import { readBody } from '../../http/body.ts'
import { asProblem, problemReply, type Reply } from '../../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../../http/received-request.ts'
import { requireLocalCaller } from '../../http/local-caller.ts'
import { sendUnderConsent, withConsent, type ConsentedRequest, type SentUnderConsent } from './outbound-consent.ts'
import { findAgreement, findConsent, findPartner, type PartiesParts } from './outbound-parties.ts'
import { asRecipient, calledBy, refuse } from './outbound-refusal.ts'
import { planSealing, replanSealing } from './outbound-sealing.ts'
import { holdStream, judgeHeld, replayed } from './held-stream.ts'
import { replyOf, returnedHeaders } from './outbound-reply.ts'
import { passStream, streamedAttempt, type StreamedAttempt } from './outbound-stream.ts'
import { parseOutboundRoute } from './outbound-route.ts'
import type { RefusalTally } from '../refusal-tally.ts'
import type { ObserverPort } from '../ports.ts'
import type { ExchangeRecorder } from '../record-exchange.ts'
import { sentOutcome } from './sent-exchange.ts'
import { problemCodeOf, type Attempted, type SenderParts, type StreamTaken } from './send-request.ts'

export interface OutboundParts extends SenderParts, Omit<PartiesParts, keyof SenderParts> {
  readonly recorder: ExchangeRecorder
  readonly tally: RefusalTally
  readonly observer: ObserverPort
  readonly tracer: Pick<Tracer, 'startExchange'>
  /** Whose calls these are, where applications presented keys. */
  readonly clients: WeakMap<IncomingMessage, { readonly keyId: string }>
  readonly newId: () => string
  readonly options: OutboundOptions
}

export interface OutboundOptions {
  readonly bodyBytes: number
  readonly timeoutMs: number
  readonly stream: StreamTaken
  /** Longest streamed answer that is read whole, for an application that takes no stream. */
  readonly heldStreamBytes: number
  /** Authorities beyond loopback that the operator opened the listener to. */
  readonly trustedAuthorities: ReadonlySet<string>
}

/** The only fields of an application's request that leave for the partner. */
const forwardedFields = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'comity-purpose',
  'comity-subject',
  'comity-actor',
]

/** A request ready to be sent, and the product it is for. */
export interface PreparedRequest extends ConsentedRequest {
  /** Public id of the API key with which the application came. */
  readonly key?: string | undefined
  readonly product: string
}

/** A call of an application, or one that this node makes for it. */
export interface LocalRequest {
  readonly request: ReceivedRequest
  readonly body: () => Promise<Uint8Array> | Uint8Array
  /** Who asks can tell the end of a streamed answer from a cut. */
  readonly takesStream: boolean
  /** Public id of the API key with which it came. */
  readonly key?: string | undefined
  /** A streamed answer of up to so many bytes is read whole all the same. */
  readonly wholeUpTo?: number | undefined
}

async function prepare(parts: OutboundParts, { request, ...asked }: LocalRequest): Promise<PreparedRequest> {
  const route = parseOutboundRoute(request.path)
  const partner = findPartner(parts, route.partner)
  const called = { partner, product: route.product }
  const consent = await findConsent(parts, request, called)
  const agreementId = consent?.isDelegated === true ? undefined : findAgreement(parts, request, called)
  const actor = request.header('comity-actor')
  // What the holder could not read it would refuse, and this node would have signed it.
  if (actor !== undefined) parseActor(actor)
  const headers = new Map<string, string>()
  for (const name of forwardedFields) {
    const value = request.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  if (agreementId !== undefined) headers.set('comity-agreement', agreementId)
  const body = await asked.body()
  const call = { holder: partner.did, settings: partner.sealing, hasBody: body.length > 0 }
  const sealing = await planSealing(call, parts.sealing)
  const prepared: PreparedRequest = {
    product: route.product,
    key: asked.key,
    partner,
    sealing,
    method: request.method,
    path: `/x/${route.address}${route.path}`,
    query: request.query,
    headers,
    body,
    agreementId,
    deadlineMs: parts.world.clock.now() + parts.options.timeoutMs,
    stream: request.method === 'GET' ? parts.options.stream : undefined,
  }
  return withConsent(prepared, consent)
}

/** Sends; when the holder says that it takes or gives contents only sealed, or could not open what was sealed to a key
 *  that it has replaced, once more by what its document says now. It has refused before it acted. */
export async function sendSealed(
  prepared: PreparedRequest,
  parts: OutboundParts,
): Promise<SentUnderConsent<PreparedRequest>> {
  const sent = await sendUnderConsent(prepared, parts)
  const { answer, verified } = sent.attempted
  const { partner, body, sealing: plan } = prepared
  const call = { holder: partner.did, settings: partner.sealing, hasBody: body.length > 0, plan }
  const sealing = await replanSealing(verified && answer && problemCodeOf(answer), call, parts.sealing)
  return sealing === undefined ? sent : sendUnderConsent({ ...sent.request, sealing }, parts)
}

/** A call as it came in. */
export interface Begun {
  readonly id: string
  readonly method: string
  readonly startedMs: number
}

async function exchange(parts: OutboundParts, local: LocalRequest, begun: Begun): Promise<Reply> {
  const { id, startedMs } = begun
  const prepared = await prepare(parts, local)
  const trace = parts.tracer.startExchange({ direction: 'outbound', nowMs: startedMs })
  // Its context stays here: the partner begins a trace of its own.
  const span = trace?.startCall(startedMs)
  const { request, attempted, refusal } = await sendSealed(prepared, parts)
  const call = { begun, request, trace }
  span?.end(attempted.answer?.status, parts.world.clock.now())
  const streamed = streamedAttempt(attempted)
  if (streamed !== undefined) return answerStream(parts, call, { streamed, local })
  const reply = refusal === undefined ? replyOf(id, attempted) : problemReply(refusal, id, ['comity-exchange', id])
  // INVARIANT: the application gets nothing before its own node's record of it is on disk.
  await conclude(parts, call, { attempted, status: reply.status })
  return reply
}

interface ToAnswer {
  readonly streamed: StreamedAttempt
  readonly local: LocalRequest
}

/** Whole, where who asks needs it so or it is to be so up to a length; else as it comes. */
async function answerStream(parts: OutboundParts, call: SentCall, { streamed, local }: ToAnswer): Promise<Reply> {
  const { takesStream, wholeUpTo = takesStream ? 0 : parts.options.heldStreamBytes } = local
  if (wholeUpTo === 0) return streamReply(parts, call, streamed)
  const { deadlineMs } = call.request
  const isLate = () => parts.world.clock.now() > deadlineMs
  const held = await holdStream(streamed.body, { maxBytes: wholeUpTo, isLate })
  if (takesStream && (held.end === 'too-long' || held.end === 'too-slow')) {
    return streamReply(parts, call, { ...streamed, body: replayed(held, streamed.body) })
  }
  const attempted = await judgeHeld(streamed, held, wholeUpTo)
  const reply = replyOf(call.begun.id, attempted)
  await conclude(parts, call, { attempted, status: reply.status, streamed: { bytes: held.bytes } })
  return reply
}

/** INVARIANT: that an answer is being passed on is on disk before its first byte is, how it ended before its last. */
async function streamReply(parts: OutboundParts, call: SentCall, streamed: StreamedAttempt): Promise<Reply> {
  const { begun, request } = call
  const { attempted, answer, body } = streamed
  const nowMs = parts.world.clock.now()
  try {
    await parts.recorder.recordPassing({ ...begun, request, attempted, finishedMs: nowMs })
  } catch (error) {
    body.cancel()
    throw error
  }
  const record = (outcome: Attempted, bytes: number) =>
    conclude(parts, call, { attempted: outcome, status: answer.status, streamed: { bytes } })
  const headers = ['comity-exchange', begun.id, ...returnedHeaders(answer)]
  const withheld = answer.headers.get('comity-fields-withheld')
  if (withheld !== undefined) headers.push('comity-fields-withheld', withheld)
  const stream = passStream(streamed, { idleMs: parts.options.stream.idleMs, record })
  return { status: answer.status, headers, body: new Uint8Array(0), stream }
}

/** A call that was sent. */
export interface SentCall {
  readonly begun: Begun
  readonly request: PreparedRequest
  readonly trace: ExchangeTrace | undefined
}

/** What came of it: `status` is what the application reads. */
interface Conclusion {
  readonly attempted: Attempted
  readonly status: number
  readonly streamed?: { readonly bytes: number }
}

/** Records the exchange, and tells of it. */
export async function conclude(
  parts: OutboundParts,
  { begun: { id, startedMs }, request, trace }: SentCall,
  { attempted, status, streamed }: Conclusion,
): Promise<void> {
  const finishedMs = parts.world.clock.now()
  await parts.recorder.recordSent({ id, request, attempted, startedMs, finishedMs, streamed })
  const seen = {
    peer: request.partner.did,
    product: request.product,
    operation: attempted.verified?.receipt?.claims.op,
    status,
    outcome: sentOutcome(attempted),
    code: attempted.problem?.code ?? (attempted.verified && attempted.answer && problemCodeOf(attempted.answer)),
  }
  parts.observer.exchange({
    direction: 'outbound',
    id,
    ...seen,
    durationMs: Math.max(0, finishedMs - startedMs),
    upstreamMs: undefined,
  })
  const { product, outcome, code, operation = '' } = seen
  const bytes = streamed?.bytes ?? attempted.answer?.body.length ?? 0
  const used = { product, operation, outcome, code, bytes, units: attempted.verified === undefined ? 0 : 1 }
  parts.observer.counted({ ...asRecipient, participant: seen.peer, ...used, upstreamMs: finishedMs - startedMs })
  trace?.end({ exchangeId: id, ...seen }, finishedMs)
}

/** Makes a call that is known to be an application's; every error becomes its answer. */
export function createOutboundCall(parts: OutboundParts): (local: LocalRequest) => Promise<Reply> {
  return async (local) => {
    const begun = { id: parts.newId(), method: local.request.method, startedMs: parts.world.clock.now() }
    try {
      return await exchange(parts, local, begun)
    } catch (error) {
      const problem = asProblem(error)
      if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, begun.id)
      if (problem.code === 'record-failed') return problemReply(problem, begun.id)
      return refuse(parts, { ...begun, ...calledBy(parts, local.request) }, problem)
    }
  }
}

/** Handles one request of the local listener. */
export function createOutbound(parts: OutboundParts): (message: IncomingMessage) => Promise<Reply> {
  const call = createOutboundCall(parts)
  return async (message) => {
    let request: ReceivedRequest
    try {
      request = readRequest(message, false)
      requireLocalCaller(request, parts.options.trustedAuthorities)
    } catch (error) {
      const problem = asProblem(error)
      parts.tally.count(problem.code, message.socket.remoteAddress ?? '')
      return problemReply(problem, parts.newId())
    }
    return call({
      request,
      body: () => readBody(message, request.headers, { bytes: parts.options.bodyBytes }),
      // Only HTTP/1.1 has an end that the application can tell from a cut.
      takesStream: message.httpVersion === '1.1',
      key: parts.clients.get(message)?.keyId,
    })
  }
}
