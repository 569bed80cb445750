/** Local replicas: calls of applications that a replica may answer, and what has to be done about replicas by itself. */
import type { IncomingMessage } from 'node:http'
import { exchangeEventBody } from '@comity/core/exchange/event'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../http/received-request.ts'
import { requireLocalCaller } from '../http/local-caller.ts'
import { askPartner } from './ask-partner.ts'
import type { Asked } from './keep-answer.ts'
import { answerOwnFields, isOwnPath } from './own-fields.ts'
import { fieldsToAsk, readQuestion, replicaField, replicaId, type ReplicaQuestion } from './replica-question.ts'
import type { ReplicasParts } from './replica-ports.ts'
import { ruleFor } from './replica-rules.ts'
import { createTending } from './tend-replicas.ts'
import { answerFrom, confirmReplica, judgeReplica } from './use-replica.ts'
import type { Replica, ReplicaReason, ReplicaRule } from './replica.ts'

export interface Replicas {
  /** Answers a call with `Comity-Replica`, or one below `/~replicas/`. */
  answer(message: IncomingMessage): Promise<Reply>
  /** Removes what is over, hears how consents stand, asks anew for what is due; called every few seconds. */
  tend(): Promise<void>
}

export function createReplicas(parts: ReplicasParts): Replicas {
  const tending = createTending(parts)
  return { answer: (message) => answer(parts, message), tend: () => tending() }
}

async function answer(parts: ReplicasParts, message: IncomingMessage): Promise<Reply> {
  const id = parts.newId()
  let request: ReceivedRequest
  try {
    request = readRequest(message, false)
    requireLocalCaller(request, parts.trustedAuthorities)
  } catch (error) {
    const problem = asProblem(error)
    parts.countRefused(problem.code, message.socket.remoteAddress ?? '')
    return problemReply(problem, id)
  }
  try {
    if (isOwnPath(request.path)) return await answerOwnFields(parts, request, message)
    return await answerCall(parts, { id, startedMs: parts.clock.now(), request, message })
  } catch (error) {
    const problem = asProblem(error)
    if (problem.code === 'internal-error') parts.onError(problem.cause ?? error)
    return problemReply(problem, id)
  }
}

interface Begun {
  readonly id: string
  readonly startedMs: number
  readonly request: ReceivedRequest
  readonly message: IncomingMessage
}

interface Addressed {
  readonly rule: ReplicaRule
  readonly asked: Asked
}

/** What is called, and under which id its answer is kept; undefined where nothing is configured to be kept. */
function addressOf(parts: ReplicasParts, request: ReceivedRequest): Addressed | undefined {
  const route = parts.routeOf(request.path)
  const holder = parts.findPartner(route.partner)?.did
  const rule = holder === undefined ? undefined : ruleFor(parts, { holder, product: route.product })
  if (holder === undefined || rule === undefined) return undefined
  const headers = fieldsToAsk(request)
  const consent = headers['comity-consent']
  const id = replicaId(parts.vault, {
    holder,
    product: route.product,
    path: route.path,
    query: request.query,
    purpose: headers['comity-purpose'],
    agreement: headers['comity-agreement'],
    consent,
    subject: parts.personIn(request),
    actor: headers['comity-actor'],
    accept: headers['accept'],
    language: headers['accept-language'],
  })
  const { path, query } = request
  const asked: Asked = {
    id,
    holder,
    product: route.product,
    operations: rule.operations,
    consent,
    request: { path, query, headers },
  }
  return { rule, asked }
}

async function answerCall(parts: ReplicasParts, begun: Begun): Promise<Reply> {
  const { request, message } = begun
  const question = readQuestion(request)
  const addressed = addressOf(parts, request)
  const replica = addressed && (await parts.store.find(addressed.asked.id))
  const found = await lookUp(parts, begun, { question, replica, rule: addressed?.rule })
  if ('reply' in found) return found.reply
  if (question.mode === 'only') return refuse(parts, begun, found.reason)
  const said = await askPartner(parts, {
    // Where nothing is kept the call goes out as it came in, but for what is for this node alone.
    request: addressed === undefined ? withoutQuestion(request) : request,
    takesStream: message.httpVersion === '1.1',
    asked: addressed?.asked,
    replica,
    wantsOwn: question.wantsOwn,
  })
  if ('reply' in said) return said.reply
  const same = await answerFrom(parts, said.same, { ...begun, question, how: 'revalidated' })
  return 'reply' in same ? same.reply : refuse(parts, begun, same.reason)
}

interface LookUp {
  readonly question: ReplicaQuestion
  readonly replica: Replica | undefined
  readonly rule: ReplicaRule | undefined
}

/** The answer of a replica, or why there is none. */
async function lookUp(
  parts: ReplicasParts,
  begun: Begun,
  { question, replica, rule }: LookUp,
): Promise<{ readonly reply: Reply } | { readonly reason: ReplicaReason }> {
  if (rule === undefined) return { reason: 'not-configured' }
  if (question.mode === 'refresh') return { reason: 'refresh-asked' }
  if (replica === undefined) return { reason: 'none' }
  if (rule.operations?.includes(replica.operation ?? '') === false) return { reason: 'not-configured' }
  const maxAgeMs = Math.min(rule.maxAgeMs, question.maxAgeMs ?? rule.maxAgeMs)
  let verdict = await judgeReplica(parts, replica, maxAgeMs)
  if (!verdict.allowed && verdict.reason === 'unconfirmed' && question.mode === 'prefer') {
    verdict = await confirmed(parts, replica, maxAgeMs)
  }
  return verdict.allowed ? answerFrom(parts, replica, { ...begun, question, how: 'hit' }) : verdict
}

/** A holder that cannot be reached confirms nothing; the call itself tells why. */
async function confirmed(parts: ReplicasParts, { id, held = '' }: Replica, maxAgeMs: number) {
  const isHeard = await confirmReplica(parts, held).then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof Problem)) parts.onError(error)
      return false
    },
  )
  const now = isHeard ? await parts.store.find(id) : undefined
  return now === undefined
    ? { allowed: false as const, reason: 'unconfirmed' as const }
    : judgeReplica(parts, now, maxAgeMs)
}

function withoutQuestion(request: ReceivedRequest): ReceivedRequest {
  const headers = new Map([...request.headers].filter(([name]) => name !== replicaField))
  return { ...request, headers, header: (name) => headers.get(name) }
}

const sentences: Partial<Record<ReplicaReason, string>> = {
  'not-configured': 'no replicas of this product are configured',
  none: 'nothing of this call is kept',
  stale: 'what is kept is older than it may be',
  unconfirmed: 'the holder was not heard for too long',
}

/** In the log like every other refusal of this node's own. */
async function refuse(parts: ReplicasParts, { id, startedMs, request }: Begun, reason: ReplicaReason): Promise<Reply> {
  const detail = sentences[reason] ?? 'what is kept may not be used'
  const problem = new Problem('replica-missing', detail, { members: { reason } })
  const { method } = request
  const body = exchangeEventBody({
    id,
    role: 'recipient',
    outcome: 'denied',
    time: startedMs,
    method,
    problem: problem.code,
  })
  await parts.record({ id, type: 'exchange', timeMs: startedMs, body })
  return problemReply(problem, id, ['comity-exchange', id, replicaField, `none;reason="${reason}"`])
}
