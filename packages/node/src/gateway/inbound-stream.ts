/** A streamed answer at the holder. That it will leave is durable, with the use of the consent, before its first byte
 *  does; rows are reduced while they pass, whatever allowed the call is looked at again every second, and the outcome is
 *  durable before the trailer fields that make the answer whole (RFC 9421 `;tr`). What breaks in between cuts the
 *  connection: the log then says what had left. */
import { createHash } from 'node:crypto'
import { formatContentDigest } from '@comity/core/http-signatures/content-digest'
import { answerTrailers } from '@comity/core/http-signatures/profile-response'
import { RowFault, type RowStream } from '@comity/core/minimisation/rows/row-stream'
import { Problem } from '@comity/core/problems'
import { isIdentified } from './calling-party.ts'
import { withKeyLife } from './key-life-fields.ts'
import { withLife } from './product-life.ts'
import type { StreamedBody } from '../http/incoming-stream.ts'
import { asProblem, type Reply } from '../http/problem-response.ts'
import type { ReplySink } from '../http/reply-stream.ts'
import { eventOf } from './answered-exchange.ts'
import type { Answer, InboundCall, Step } from './inbound-call.ts'
import type { AuditLogPort, OfferedProduct } from './ports.ts'
import type { KeysPort } from './key-port.ts'
import type { PoliciesPort } from './policy-port.ts'
import { intentOf } from './steps/record-intent.ts'
import { ensureStillPermitted } from './steps/policy.ts'
import { decisionEffects, signedTrailers, useOf, type RecordOutcomeOptions } from './steps/record-outcome.ts'

export interface InboundStreamOptions extends RecordOutcomeOptions {
  readonly auditLog: AuditLogPort
  /** The step that judges the agreement. */
  readonly agreement: Step
  readonly policies: PoliciesPort
  readonly keys: Pick<KeysPort, 'readmit'>
  /** Told of a call whose answer has left, or was cut off. */
  readonly observe: (call: InboundCall, status: number) => void
}

/** A call whose answer is on its way through. */
interface Streaming {
  readonly call: InboundCall
  readonly product: OfferedProduct
  readonly answer: Answer
  readonly body: StreamedBody
  readonly rows: RowStream
  readonly options: InboundStreamOptions
}

/** After so many milliseconds, or rows, what allowed the call is looked at again. */
const recheckMs = 1_000
const recheckRows = 10_000
/** The head waits for the first released bytes, but not for ever: a caller must see that it is answered. */
const firstBytesMs = 1_000
const firstBytesRead = 262_144

/** The streamed answer of a call that passed every step; undefined when its answer is not streamed. */
export function streamingOf(call: InboundCall, options: InboundStreamOptions): Streaming | undefined {
  const { product, answer, rows, problem } = call
  if (product === undefined || answer?.stream === undefined || rows === undefined || problem !== undefined)
    return undefined
  return { call, product, answer, body: answer.stream, rows, options }
}

/** Begins the answer: resolves when it is durable that it leaves. Rejects with the problem to answer instead. */
export async function beginStream(streaming: Streaming): Promise<Reply> {
  const { call, product, answer, body, options } = streaming
  try {
    const flow = new Flow(streaming)
    const first = await flow.first()
    await recordBegin(streaming)
    const told = withKeyLife(withLife(answer.headers, call.lifeFields), call.keyFields)
    const headers = [...told, ...call.limitFields, 'comity-exchange', call.id]
    const stream = {
      trailers: isIdentified(call) ? answerTrailers : [],
      idleMs: product.streamIdleMs,
      send: (sink: ReplySink) => send({ ...streaming, answer: { ...answer, headers } }, { flow, first, sink }),
    }
    return { status: answer.status, headers, body: new Uint8Array(0), stream }
  } catch (error) {
    body.cancel()
    call.answer = undefined
    throw error
  } finally {
    if (call.resolved !== undefined) options.resolving.delete(call.resolved.id)
  }
}

/** What comes from the upstream, reduced, and what has left of it. */
class Flow {
  readonly #streaming: Streaming
  readonly #hash = createHash('sha256')
  #bytes = 0
  #isOver = false
  #checkedMs: number
  #checkedRows = 0

  constructor(streaming: Streaming) {
    this.#streaming = streaming
    this.#checkedMs = streaming.options.world.clock.now()
  }

  /** The next reduced bytes, which may be none; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const { body, rows } = this.#streaming
    if (this.#isOver) return undefined
    const chunk = await body.next()
    this.#isOver = chunk === undefined
    try {
      return chunk === undefined ? rows.end() : rows.push(chunk)
    } catch (cause) {
      if (!(cause instanceof RowFault)) throw cause
      throw new Problem('upstream-invalid', 'the answer of the upstream is not as declared', { cause })
    }
  }

  /** The first bytes that leave; none when that takes too long. */
  async first(): Promise<Uint8Array | undefined> {
    const { clock } = this.#streaming.options.world
    const startedMs = clock.now()
    for (let read = 0; ;) {
      const chunk = await this.next()
      if (chunk === undefined || chunk.length > 0) return chunk
      read += 65_536
      if (read >= firstBytesRead || hasPassed(startedMs, clock.now(), firstBytesMs)) return chunk
    }
  }

  /** Counts what is handed to the connection. */
  count(chunk: Uint8Array): void {
    this.#hash.update(chunk)
    this.#bytes += chunk.length
  }

  /** Throws when what allowed the call does so no more; looks again only when the last look is old. */
  async ensureStanding(isLast = false): Promise<void> {
    const { call, rows, options } = this.#streaming
    const nowMs = options.world.clock.now()
    const isOld = hasPassed(this.#checkedMs, nowMs, recheckMs) || rows.counts.read - this.#checkedRows >= recheckRows
    if (!isOld && !isLast) return
    this.#checkedMs = nowMs
    this.#checkedRows = rows.counts.read
    await ensureAllowed(call, options)
  }

  /** What has left. `digest` is of the whole, once that has. */
  left() {
    const sum = this.#hash.copy().digest()
    const part = { hash: sum.toString('base64url'), bytes: this.#bytes, rows: this.#streaming.rows.counts.released }
    return { part, digest: formatContentDigest(sum) }
  }
}

/** A clock that was set back says nothing of how long it was: then it was long. */
function hasPassed(sinceMs: number, nowMs: number, spanMs: number): boolean {
  return nowMs < sinceMs || nowMs - sinceMs >= spanMs
}

/** The key, the consent's own row, the agreement and the policies, once more. Of who acts for another not the agreement: the token,
 *  which names whose agreement it is, may have run out since. */
async function ensureAllowed(call: InboundCall, options: InboundStreamOptions): Promise<void> {
  const { world, agreement, policies, keys } = options
  const { client, request } = call
  const nowMs = world.clock.now()
  if (client !== undefined) {
    keys.readmit(client.keyId, { address: request.remoteAddress, environment: client.environment }, nowMs)
  }
  const refused = await call.consent?.confirm(nowMs)
  if (refused !== undefined) throw new Problem(refused.code, refused.detail, { members: refused.members ?? {} })
  if (call.consent === undefined || call.consent.via.length === 0) await agreement.run(call)
  await ensureStillPermitted(call, { world, policies })
}

/** Durable: that the answer leaves, how it was decided, and the use, which fails when the consent does not stand. */
async function recordBegin({ call, answer, options }: Streaming): Promise<void> {
  const { release } = call
  const event = {
    ...eventOf(call, 'intended'),
    ...(release && { released: release.released, withheld: release.withheld }),
    status: answer.status,
  }
  const intent = intentOf(call, undefined, event)
  const prepared = options.auditLog.prepare({
    id: `${call.id}:intent`,
    type: 'exchange',
    timeMs: call.receivedAtMs,
    body: intent.event,
    ...(intent.subject && { subject: intent.subject }),
  })
  const used = call.limits?.statements() ?? []
  const effects = [options.intents.insert(intent), ...useOf(call, options), ...decisionEffects(call, options), ...used]
  try {
    await options.auditLog.append(prepared, effects)
  } catch (error) {
    // A consent that ended since it was confirmed has ended first: nothing leaves.
    await ensureAllowed(call, options)
    throw new Problem('record-failed', 'the storage did not take the record', {
      cause: error,
      members: { retryAfterSeconds: 10 },
    })
  }
  call.limits?.recorded()
  call.consent?.settle(true)
}

interface Sending {
  readonly flow: Flow
  readonly first: Uint8Array | undefined
  readonly sink: ReplySink
}

async function send(streaming: Streaming, { flow, first, sink }: Sending): Promise<readonly string[]> {
  let isGone = false
  sink.onGone(() => {
    isGone = true
    streaming.body.cancel()
  })
  try {
    for (let chunk = first; chunk !== undefined; chunk = await flow.next()) {
      if (chunk.length === 0) continue
      await flow.ensureStanding()
      flow.count(chunk)
      await sink.write(chunk)
    }
    await flow.ensureStanding(true)
    return await recordEnd(streaming, flow)
  } catch (error) {
    streaming.body.cancel()
    throw await recordCut(streaming, flow, isGone ? new Problem('stream-cut', 'the caller went away') : error)
  } finally {
    streaming.call.limits?.end()
  }
}

/** The outcome is durable, then the trailers are given. */
async function recordEnd({ call, answer, options }: Streaming, flow: Flow): Promise<string[]> {
  const { part, digest } = flow.left()
  call.answer = { ...answer, left: part }
  const outcome = options.recorder.prepareAnswered(call, call.answer, options.world.clock.now())
  const { receipt } = outcome
  const trailers =
    receipt === undefined ? [] : signedTrailers(call, { headers: answer.headers, digest, receipt }, options)
  await options.recorder.recordAnswered(call, outcome, [options.intents.forget(call.id)])
  options.observe(call, answer.status)
  return trailers
}

/** What had left when the answer was cut off, and why; gives the problem. There is no receipt of half an answer. */
async function recordCut({ call, answer, options }: Streaming, flow: Flow, error: unknown): Promise<Problem> {
  call.problem = asProblem(error)
  call.answer = { ...answer, left: flow.left().part }
  try {
    const { event } = options.recorder.prepareAnswered(call, call.answer, options.world.clock.now())
    await options.recorder.recordAnswered(call, { event, receipt: undefined }, [options.intents.forget(call.id)])
  } catch (cause) {
    options.unsettled.add(call.id)
    call.problem = new Problem('record-failed', 'the storage did not take the record', { cause })
  }
  options.observe(call, answer.status)
  return call.problem
}
