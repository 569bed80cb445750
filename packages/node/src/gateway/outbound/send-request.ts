/** Outbound step 3: signs the request afresh for every attempt, sends it to the partner's node, verifies the answer,
 *  and tries again where that is safe. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import { codeOfDocument, Problem } from '@comity/core/problems'
import { asProblem } from '../../http/problem-response.ts'
import { checkComposite, type CheckedComposite, type SentPart } from '../composite/composite-check.ts'
import type { IdentityPort, World } from '../ports.ts'
import { openAnswer, sealRequest, type SealingPlan } from './outbound-sealing.ts'
import { presentedConsent } from './presented-consent.ts'
import { decideRetry } from './retry.ts'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { SealingPort } from '../sealing-port.ts'
import type { SealedSides } from '../sealing-record.ts'
import { verifyAnswer, type RawAnswer, type SentRequest, type VerifiedAnswer } from './verify-answer.ts'

/** The partner's node as the gateway reaches it. */
export interface PartnerLink {
  readonly did: string
  readonly alias: string
  /** `host[:port]` of its public listener. */
  readonly authority: string
  /** What the operator set for the contents exchanged with it. */
  readonly sealing?: SealingSettings | undefined
}

/** Carries bytes to a partner's node over its pinned TLS connection. Throws `partner-unreachable`,
 *  `partner-timeout` or `tls-untrusted`. */
export interface CarrierPort {
  send(partner: PartnerLink, request: RequestOnTheWire): Promise<RawAnswer>
}

export interface RequestOnTheWire {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  /** Name, value, name, value … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  readonly timeoutMs: number
  /** Of an answer whose signature is announced as a trailer field, only the head is waited for. */
  readonly stream?: StreamTaken | undefined
}

/** How much of a streamed answer is taken, and how long its sender may say nothing, in milliseconds. */
export interface StreamTaken {
  readonly maxBytes: number
  readonly idleMs: number
}

/** What is to be asked; the same for every attempt. */
export interface OutboundRequest {
  readonly partner: PartnerLink
  readonly method: string
  readonly path: string
  /** `?…`, or `?` alone. */
  readonly query: string
  /** Fields that the profile signs or that travel along, lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  readonly agreementId: string | undefined
  readonly deadlineMs: number
  /** How contents are sealed; nothing is when absent. */
  readonly sealing?: SealingPlan | undefined
  /** Of a composite: its parts. */
  readonly parts?: readonly SentPart[] | undefined
  /** The person that a composite is about, by pairwise id. */
  readonly about?: string | undefined
  /** A streamed answer is read as one; it is collected, and then refused, when absent. */
  readonly stream?: StreamTaken | undefined
}

/** What happened, whether it ended well or not. */
export interface Attempted {
  readonly sent: SentRequest
  readonly requestSignature: string
  /** As the application reads it: opened, when it came sealed. */
  readonly answer: RawAnswer | undefined
  /** What was sealed on its way. */
  readonly sealed?: SealedSides | undefined
  readonly verified: VerifiedAnswer | undefined
  /** Of a composite that was not refused as a whole. */
  readonly composite?: CheckedComposite | undefined
  readonly problem: Problem | undefined
  readonly attempts: number
  /** Set while a streamed answer is still on its way: judges it once it has come to its end. */
  readonly judge?: ((answer: RawAnswer) => Promise<Attempted>) | undefined
}

export interface SenderParts {
  readonly world: World
  readonly identity: IdentityPort
  readonly carrier: CarrierPort
  readonly sealing: SealingPort
  readonly sleep: (ms: number) => Promise<void>
}

const lifetimeSeconds = 30

function sign(request: OutboundRequest, { world, identity, sealing }: SenderParts) {
  const { partner, method, path, query } = request
  const target = { method, authority: partner.authority, path, query }
  const nonce = encodeBase64url(world.randomBytes(16))
  const { keyid, key } = identity.authenticationKey()
  const { headers, body } = request
  const outgoing = sealRequest(request.sealing, { headers, body, bound: { ...target, keyid, nonce } }, sealing)
  if (outgoing.body.length > 0) outgoing.headers.set('content-digest', contentDigest(outgoing.body))
  const parts = {
    ...target,
    hasBody: outgoing.body.length > 0,
    header: (name: string) => outgoing.headers.get(name),
  }
  const createdAt = Math.floor(world.clock.now() / 1000)
  const made = signRequest(parts, {
    keyid,
    key,
    createdAt,
    expiresAt: createdAt + lifetimeSeconds,
    nonce,
  })
  outgoing.headers.set('signature-input', made.signatureInput)
  outgoing.headers.set('signature', made.signature)
  const sent: SentRequest = {
    parts,
    signatureHeader: made.signature,
    base: made.base,
    holder: partner.did,
    recipient: identity.did,
    agreementId: request.agreementId,
    consentId: presentedConsent(request.headers.get('authorization'))?.id,
  }
  return { sent, outgoing, signature: made.signature }
}

function retryAfterOf(answer: RawAnswer | undefined): number | undefined {
  const seconds = Number(answer?.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** Tells what can be told of an answer that does not count, marked as unverified. */
function withUnverified(problem: Problem, answer: RawAnswer | undefined): Problem {
  if (answer === undefined || problem.code !== 'answer-unsigned') return problem
  const code = problemCodeOf(answer)
  const members = { ...problem.members, unverified: { status: answer.status, ...(code === undefined ? {} : { code }) } }
  const word = code === undefined ? '' : `; without proof, the partner says \`${code}\``
  return new Problem(problem.code, `${problem.message}${word}`, { cause: problem.cause, members })
}

/** The code in a problem document of a node; unverified unless the answer is. An API's own errors have none. */
export function problemCodeOf(answer: RawAnswer): string | undefined {
  return problemOf(answer)?.code
}

/** The code, and the `state` of a consent where the problem tells one. */
export function problemOf({ status, headers, body }: RawAnswer): { code: string; state: unknown } | undefined {
  if (status < 400 || headers.get('content-type') !== 'application/problem+json') return undefined
  try {
    const text = Buffer.from(body.subarray(0, 16_384)).toString('utf8')
    const document = JSON.parse(text) as { type?: unknown; code?: unknown; state?: unknown }
    const code = codeOfDocument(document)
    return code === undefined ? undefined : { code, state: document.state }
  } catch {
    return undefined
  }
}

async function attempt(request: OutboundRequest, parts: SenderParts, attempts: number): Promise<Attempted> {
  const { sent, outgoing, signature } = sign(request, parts)
  const timeoutMs = request.deadlineMs - parts.world.clock.now()
  const target = request.query === '?' ? request.path : request.path + request.query
  const { method, sealing: plan, stream } = request
  const common = { sent, requestSignature: signature, attempts }
  const judge = async (answer: RawAnswer): Promise<Attempted> => {
    try {
      const verified = await verifyAnswer(answer, sent, parts.identity)
      const { facts } = outgoing
      const opened = openAnswer(answer, verified, {
        sent: { plan, facts, base: sent.base },
        sealing: parts.sealing,
      })
      const sealed = { request: facts, answer: opened.facts }
      const composite = request.parts && checkComposite(opened.content, verified, request.parts)
      return { ...common, answer: opened.content, sealed, verified, composite, problem: undefined }
    } catch (error) {
      return { ...common, answer, verified: undefined, problem: withUnverified(asProblem(error), answer) }
    }
  }
  try {
    const answer = await parts.carrier.send(request.partner, {
      method,
      target,
      headers: [...outgoing.headers].flat(),
      body: outgoing.body,
      timeoutMs,
      // What must be sealed is sealed whole.
      stream: plan?.isAnswerRequired === true ? undefined : stream,
    })
    if (answer.stream === undefined) return await judge(answer)
    return { ...common, answer, verified: undefined, problem: undefined, judge }
  } catch (error) {
    return { ...common, answer: undefined, verified: undefined, problem: asProblem(error) }
  }
}

/** The last attempt, successful or not. Never throws for what a partner or the network does. */
export async function sendRequest(request: OutboundRequest, parts: SenderParts): Promise<Attempted> {
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt(request, parts, attempts)
    const verdict = decideRetry(
      {
        // A composite is posted, and reads.
        method: request.parts === undefined ? request.method : 'GET',
        hasIdempotencyKey: request.headers.has('idempotency-key'),
        attempts,
        // An unsigned 429 or 503 tells nothing but to wait, which harms nobody.
        status: outcome.answer?.status,
        code: outcome.answer === undefined ? outcome.problem?.code : problemCodeOf(outcome.answer),
        retryAfterSeconds: retryAfterOf(outcome.answer),
        remainingMs: request.deadlineMs - parts.world.clock.now(),
      },
      (parts.world.randomBytes(1)[0] as number) / 256,
    )
    if (!verdict.retry) return outcome
    await parts.sleep(verdict.delayMs)
  }
}
