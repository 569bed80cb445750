/** Step 12, `record outcome`: the exchange is in the log, durably, before the first byte of its answer leaves. Then
 *  the receipt and the signature over the answer. */
import { contentDigestOfHash } from '@comity/core/http-signatures/content-digest'
import { signResponse } from '@comity/core/http-signatures/profile-response'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../../http/problem-response.ts'
import type { Statement } from '../../storage/database.ts'
import type { Answer, InboundCall } from '../inbound-call.ts'
import type { IntentStore } from '../intent-store.ts'
import type { IdentityPort, World } from '../ports.ts'
import { isReleased } from '../answered-exchange.ts'
import { contentHash } from '../content-hash.ts'
import { fieldValue } from '../field-value.ts'
import { withLife } from '../product-life.ts'
import { isIdentified } from '../calling-party.ts'
import { withKeyLife } from '../key-life-fields.ts'
import { requestParts } from '../request-parts.ts'
import type { ExchangeRecorder } from '../record-exchange.ts'
import type { ReferenceStore } from '../references/reference-store.ts'
import type { RefusalTally } from '../refusal-tally.ts'
import { sealAnswer } from '../seal-answer.ts'
import type { SealingPort } from '../sealing-port.ts'
import { isSafeMethod } from './record-intent.ts'

export interface RecordOutcomeOptions {
  readonly world: World
  readonly identity: IdentityPort
  readonly recorder: ExchangeRecorder
  readonly sealing: Pick<SealingPort, 'seal'>
  readonly intents: IntentStore
  readonly references: Pick<ReferenceStore, 'insert' | 'use'>
  /** Ids of the references that are being resolved in this process. */
  readonly resolving: Set<string>
  readonly tally: RefusalTally
  readonly running: Set<string>
  /** Exchange ids of intents whose calls ended without a record of how. */
  readonly unsettled: Set<string>
}

/** The upstream was not called at all: with the same key the call may be made again. */
const neverCalled: ReadonlySet<ProblemCode> = new Set([
  'upstream-unreachable',
  'upstream-unavailable',
  'concurrency-limited',
])
/** The upstream may or may not have acted. */
const doubtful: ReadonlySet<ProblemCode> = new Set(['upstream-timeout', 'upstream-lost', 'internal-error'])

function intentEffects(call: InboundCall, answer: Answer, intents: IntentStore): Statement[] {
  const { intent, problem, id } = call
  if (intent === undefined || intent.replayed) return []
  const ended = { id, idempotencyKey: intent.idempotencyKey, subject: call.consent?.key }
  if (problem === undefined) return [intents.finish(ended, answer)]
  if (neverCalled.has(problem.code)) return [intents.forget(id)]
  if (doubtful.has(problem.code)) return [intents.markUnknown(id)]
  return [intents.finish(ended, answer)]
}

/** The answer to send: the product's, or the problem's. */
function answerOf(call: InboundCall): Answer {
  if (call.problem === undefined && call.answer !== undefined) return call.answer
  call.problem ??= new Problem('internal-error', 'the call ended without an answer')
  const { status, headers, body } = problemReply(call.problem, call.id)
  // Nothing of it is sent to who asks for the head alone (RFC 9110 §9.3.2), so nothing of it is signed.
  return { status, headers, body: call.request.method === 'HEAD' ? body.subarray(body.length) : body }
}

/** Headers of the signed answer. Anonymous callers, and those whose signature or key was not good, get no signature. */
export function signAnswer(
  call: InboundCall,
  { answer, receipt }: { readonly answer: Answer; readonly receipt: string | undefined },
  options: RecordOutcomeOptions,
): string[] {
  const headers = [...answer.headers, ...call.limitFields, 'comity-exchange', call.id]
  if (!isIdentified(call)) return headers
  if (answer.body.length > 0) headers.push('content-digest', contentDigestOfHash(contentHash(answer.body)))
  if (receipt !== undefined) headers.push('comity-receipt', receipt)
  const header = (name: string) => fieldValue(headers, name)
  const { keyid, key } = options.identity.authenticationKey()
  const made = signResponse(
    { status: answer.status, header, hasBody: answer.body.length > 0 },
    { parts: requestParts(call), signatureHeader: call.request.header('signature'), ...labelOf(call) },
    { keyid, key, createdAt: Math.floor(options.world.clock.now() / 1000) },
  )
  headers.push('signature-input', made.signatureInput, 'signature', made.signature)
  return headers
}

/** The trailer fields of a streamed answer, name and value in turn. */
export function signedTrailers(
  call: InboundCall,
  {
    headers,
    digest,
    receipt,
  }: { readonly headers: readonly string[]; readonly digest: string; readonly receipt: string },
  { identity, world }: Pick<RecordOutcomeOptions, 'identity' | 'world'>,
): string[] {
  const trailers = ['content-digest', digest, 'comity-receipt', receipt]
  const { keyid, key } = identity.authenticationKey()
  const made = signResponse(
    { status: 200, header: (name) => fieldValue(headers, name), trailer: (name) => fieldValue(trailers, name) },
    { parts: requestParts(call), signatureHeader: call.request.header('signature'), ...labelOf(call) },
    { keyid, key, createdAt: Math.floor(world.clock.now() / 1000) },
  )
  return [...trailers, 'signature-input', made.signatureInput, 'signature', made.signature]
}

function labelOf(call: InboundCall): { label?: string } {
  return call.signature === undefined ? {} : { label: call.signature.label }
}

/** A promise is kept, or was fulfilled: by any answer of the API, by no refusal. */
function referenceEffects(
  { referral, resolved, problem, id }: InboundCall,
  { references }: Pick<RecordOutcomeOptions, 'references'>,
) {
  if (problem !== undefined) return []
  return [...(referral ? [references.insert(referral)] : []), ...(resolved ? [references.use(resolved.id, id)] : [])]
}

/** What happens in one transaction with the record: the intent ends, the use of a consent counts, what policies
 *  decided is kept, a reference is made or used. */
function effectsOf(call: InboundCall, answer: Answer, options: RecordOutcomeOptions): Statement[] {
  return [
    ...intentEffects(call, answer, options.intents),
    ...(isReleased(call, answer) ? useOf(call, options) : []),
    ...decisionEffects(call, options),
  ]
}

/** The use of the consent, which for a read must stand still when the record is written. */
export function useOf(call: InboundCall, { world }: Pick<RecordOutcomeOptions, 'world'>): readonly Statement[] {
  const mustStand = isSafeMethod(call.request.method)
  return call.consent?.use(call.id, world.clock.now(), { mustStand }) ?? []
}

/** What is kept of how the call was decided. */
export function decisionEffects(
  call: InboundCall,
  options: Pick<RecordOutcomeOptions, 'references'>,
): readonly Statement[] {
  return [...(call.policy?.trail(call.id, call.consent?.key) ?? []), ...referenceEffects(call, options)]
}

async function record(call: InboundCall, options: RecordOutcomeOptions): Promise<Reply> {
  const plain = answerOf(call)
  // What is kept for a repetition of the call is without what is said of the version today.
  const told = { ...plain, headers: withKeyLife(withLife(plain.headers, call.lifeFields), call.keyFields) }
  const answer = sealAnswer(call, told, options.sealing)
  const outcome = options.recorder.prepareAnswered(call, answer, options.world.clock.now())
  // Everything that costs the processor is done before the wait for the disk.
  const headers = signAnswer(call, { answer, receipt: outcome.receipt }, options)
  await options.recorder.recordAnswered(call, outcome, effectsOf(call, plain, options))
  call.consent?.settle(isReleased(call, answer))
  return { status: answer.status, headers, body: answer.body }
}

/** A consent that ended since it was confirmed has ended first: nothing of the answer leaves, and the log says so. */
async function recordStanding(call: InboundCall, options: RecordOutcomeOptions): Promise<Reply> {
  try {
    return await record(call, options)
  } catch (error) {
    if (call.problem !== undefined || !isSafeMethod(call.request.method)) throw error
    const refused = await call.consent?.confirm(options.world.clock.now())
    if (refused === undefined) throw error
    call.problem = new Problem(refused.code, refused.detail, { members: refused.members ?? {} })
    return record(call, options)
  }
}

/** Why there is no answer when an exchange could not be recorded. */
export function recordFailure(error: unknown): Problem {
  const cause = asProblem(error)
  if (cause.code === 'internal-error') return cause
  const members = { retryAfterSeconds: 10 }
  return new Problem('record-failed', 'the storage did not take the record', { cause, members })
}

/** Ends a call. Never throws: when the record fails, nothing of the answer is released. */
export function recordOutcome(options: RecordOutcomeOptions): (call: InboundCall) => Promise<Reply> {
  return async (call) => {
    try {
      if (!call.tallied) return await recordStanding(call, options)
      const problem = call.problem ?? new Problem('rate-limited', 'too many requests')
      options.tally.count(problem.code, call.request.remoteAddress)
      return problemReply(problem, call.id)
    } catch (error) {
      if (call.intent?.replayed === false) options.unsettled.add(call.id)
      call.problem = recordFailure(error)
      return problemReply(call.problem, call.id)
    } finally {
      // What was recorded as a use is settled by now; else no answer left.
      call.consent?.settle(false)
      call.limits?.end()
      if (call.intent?.key !== undefined) options.running.delete(call.intent.key)
      if (call.resolved !== undefined) options.resolving.delete(call.resolved.id)
    }
  }
}
