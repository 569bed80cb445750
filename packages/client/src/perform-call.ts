/** One call from its turn to its answer: wait, send, judge, and again where that is safe. */
import { parseRetryAfter } from '@comity/core/limits/rate-limit-fields'
import { heldBackMs } from './announced-budget.ts'
import { ComityError } from './comity-error.ts'
import { startDeadline, type Deadline } from './deadline.ts'
import { errorOf } from './judge-answer.ts'
import type { Pacer, Priority, Turn } from './pacer.ts'
import { decideRetry, jitterMs, type RetryVerdict } from './retry.ts'
import { sendOnce, type PreparedRequest, type ReceivedAnswer } from './send-once.ts'
import { randomFraction, type World } from './world.ts'

export interface Call {
  readonly request: PreparedRequest
  readonly isRepeatable: boolean
  readonly maxAttempts: number
  readonly timeoutMs: number
  readonly priority: Priority
  readonly signal: AbortSignal | undefined
}

type Outcome =
  | { readonly answer: ReceivedAnswer; readonly error: undefined }
  | { readonly answer: ReceivedAnswer | undefined; readonly error: ComityError }

const maxPauseMs = 24 * 3_600_000

/** The successful answer. Throws `ComityError`, or the reason of the caller's signal. */
export async function performCall(call: Call, pacer: Pacer, world: World): Promise<ReceivedAnswer> {
  const deadline = startDeadline(call, world)
  let failure: ComityError | undefined
  try {
    for (let attempts = 1; ; attempts += 1) {
      const { outcome, verdict } = await attempt({ call, deadline, attempts }, pacer, world)
      if (outcome.error === undefined) return outcome.answer
      failure = outcome.error
      if (!verdict.retry) throw failure
      await world.sleep(verdict.delayMs, deadline.signal)
      deadline.signal.throwIfAborted()
    }
  } catch (error) {
    throw isTimeOut(error) && failure !== undefined ? timedOutAfter(failure, error) : error
  } finally {
    deadline.end()
  }
}

interface Trial {
  readonly call: Call
  readonly deadline: Deadline
  readonly attempts: number
}

interface Attempted {
  readonly outcome: Outcome
  readonly verdict: RetryVerdict
}

async function attempt(trial: Trial, pacer: Pacer, world: World): Promise<Attempted> {
  const turn = await pacer.turn({
    deadline: trial.deadline,
    isRepeated: trial.attempts > 1,
    priority: trial.call.priority,
  })
  try {
    const outcome = await send(trial, world)
    const random = randomFraction(world.random)
    const nowMs = world.clock.now()
    const retryAfterMs = retryAfterOf(outcome.answer, nowMs)
    teach(turn, outcome, retryAfterMs === undefined ? 0 : retryAfterMs + jitterMs(trial.attempts, random))
    return { outcome, verdict: judge(trial, outcome, { retryAfterMs, nowMs, random }) }
  } finally {
    turn.end()
  }
}

async function send({ call, deadline }: Trial, { fetch }: World): Promise<Outcome> {
  try {
    const answer = await sendOnce(call.request, { fetch, signal: deadline.signal })
    return { answer, error: errorOf(answer) }
  } catch (error) {
    if (!(error instanceof ComityError) || deadline.signal.aborted) throw error
    return { answer: undefined, error }
  }
}

function judge(
  { call, deadline, attempts }: Trial,
  { answer, error }: Outcome,
  { retryAfterMs, nowMs, random }: { retryAfterMs: number | undefined; nowMs: number; random: number },
): RetryVerdict {
  if (error === undefined) return { retry: false }
  const { code, status } = error
  const { isRepeatable, maxAttempts } = call
  const isReplayed = answer?.headers.has('idempotency-replayed') ?? false
  const remainingMs = deadline.atMs - nowMs
  return decideRetry(
    { code, status, isRepeatable, isReplayed, attempts, maxAttempts, retryAfterMs, remainingMs },
    random,
  )
}

/** A 429 or 503 with `Retry-After` speaks of the product; with other statuses the field is about this call alone. */
function teach(turn: Turn, { answer, error }: Outcome, pauseMs: number): void {
  if (answer === undefined) return turn.end()
  const isPushedBack = answer.status === 429 || answer.status === 503
  const rateLimit = answer.headers.get('ratelimit')
  const { 'violated-policies': violated } = (error?.document ?? {}) as { readonly 'violated-policies'?: unknown }
  turn.end({
    policy: answer.headers.get('ratelimit-policy'),
    rateLimit,
    isPushedBack,
    pauseMs: isPushedBack ? heldBackMs(pauseMs, rateLimit, violated) : 0,
  })
}

function retryAfterOf(answer: ReceivedAnswer | undefined, nowMs: number): number | undefined {
  const ms = parseRetryAfter(answer?.headers.get('retry-after'), nowMs)
  return ms === undefined ? undefined : Math.min(ms, maxPauseMs)
}

function isTimeOut(error: unknown): error is ComityError {
  return error instanceof ComityError && (error.code === 'timed-out' || error.code === 'queue-timeout')
}

/** Tells what went wrong before the time was up. */
function timedOutAfter(failure: ComityError, { code, detail }: ComityError): ComityError {
  const { status, document, exchangeId, receipt } = failure
  const last = `${detail}; the last attempt ended with \`${failure.code}\``
  return new ComityError(code, last, { status, document, exchangeId, receipt, cause: failure })
}
