/** Outbound sealing: what this node's call says it can open, the body sealed to the holder's key, and the answer opened
 *  and held against the receipt. */
import { acceptSealingField, formatAcceptSealing } from '@comity/core/sealing/accept-sealing'
import { innerFields, type SealedContent } from '@comity/core/sealing/sealed-content'
import { answerBinding, requestBinding, sealedMediaType, statedAlgorithm } from '@comity/core/sealing/sealed-envelope'
import { chooseOffer, type SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import { sealingText } from '@comity/core/sealing/sealing-claims'
import { Problem } from '@comity/core/problems'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { AnnouncedSealing, SealedFacts, SealingPort, SealTarget } from '../sealing-port.ts'
import { claimsOfSealed } from '../sealing-record.ts'
import { isSealed } from '../steps/unseal.ts'
import type { RawAnswer, VerifiedAnswer } from './verify-answer.ts'

/** How one call is sealed; the same for every attempt. */
export interface SealingPlan {
  /** Value of `Comity-Accept-Sealing`; undefined when the call names nothing that it can open. */
  readonly accept: string | undefined
  /** Algorithms that the field names. */
  readonly accepted: readonly SealingAlgorithm[]
  /** True when an answer in clear is refused. */
  readonly isAnswerRequired: boolean
  /** The holder's key for the body; undefined when it is sent in clear. */
  readonly target: SealTarget | undefined
}

/** A call to plan for. */
export interface CallToSeal {
  /** DID of the holder. */
  readonly holder: string
  readonly settings: SealingSettings | undefined
  readonly hasBody: boolean
}

/** What is sent in the place of a body, and how the answer must come. */
export interface SealedBody {
  readonly body: Uint8Array
  readonly headers: Map<string, string>
  readonly facts: SealedFacts | undefined
}

const byDefault: SealingSettings = { answers: 'offered', requests: 'offered' }
const nothingAnnounced: AnnouncedSealing = { answers: [], requests: [], target: () => undefined }

/** Decides how a call is sealed, by what the operator set for the partner and what the partner's document announces.
 *  Throws `sealing-unavailable` when what is required cannot be done. */
export async function planSealing(
  call: CallToSeal,
  sealing: SealingPort,
  options: { readonly anew?: boolean } = {},
): Promise<SealingPlan> {
  const settings = call.settings ?? byDefault
  const algorithms = sealing.allowed(settings.algorithms)
  const announced = await announcedBy(call, { settings, sealing, anew: options.anew ?? false })
  const offers = wants(settings.answers, announced.answers) ? sealing.offers(algorithms) : []
  const isAnswerRequired = settings.answers === 'required'
  if (isAnswerRequired && offers.length === 0)
    throw unavailable('this node has no key to which answers could be sealed')
  return {
    accept: offers.length === 0 ? undefined : formatAcceptSealing({ offers, isRequired: isAnswerRequired }),
    accepted: offers.map(({ algorithm }) => algorithm),
    isAnswerRequired,
    target: call.hasBody ? targetFor(settings, { announced, algorithms }) : undefined,
  }
}

function wants(mode: SealingSettings['answers'], announced: readonly SealingAlgorithm[]): boolean {
  return mode === 'required' || (mode === 'offered' && announced.length > 0)
}

/** Without a document an offer cannot be made; what is required then fails. */
async function announcedBy(
  { holder, hasBody }: CallToSeal,
  { settings, sealing, anew }: { settings: SealingSettings; sealing: SealingPort; anew: boolean },
): Promise<AnnouncedSealing> {
  const { answers, requests } = settings
  if (answers === 'off' && (requests === 'off' || !hasBody)) return nothingAnnounced
  try {
    return await sealing.announced(holder, { anew })
  } catch (error) {
    if (!(error instanceof Problem) || (requests === 'required' && hasBody)) throw error
    return nothingAnnounced
  }
}

function targetFor(
  { requests }: SealingSettings,
  { announced, algorithms }: { announced: AnnouncedSealing; algorithms: readonly SealingAlgorithm[] },
): SealTarget | undefined {
  if (!wants(requests, announced.requests)) return undefined
  const named = announced.requests.length > 0 ? announced.requests : algorithms
  const usable = named.flatMap((algorithm) => announced.target(algorithm) ?? [])
  const chosen = chooseOffer(algorithms, usable)
  const target = usable.find((candidate) => candidate === chosen)
  if (target === undefined && requests === 'required') {
    throw unavailable('the document of the partner names no key for any algorithm that is allowed here')
  }
  return target
}

function unavailable(detail: string): Problem {
  return new Problem('sealing-unavailable', detail)
}

/** The request's identity for the envelope. */
type Bound = Parameters<typeof requestBinding>[0]

/** The header fields and body of one attempt. */
export function sealRequest(
  plan: SealingPlan | undefined,
  request: { readonly headers: ReadonlyMap<string, string>; readonly body: Uint8Array; readonly bound: Bound },
  { seal }: SealingPort,
): SealedBody {
  const headers = new Map(request.headers)
  if (plan?.accept !== undefined) headers.set(acceptSealingField, plan.accept)
  if (plan?.target === undefined) return { body: request.body, headers, facts: undefined }
  const fields: Record<string, string> = {}
  for (const name of innerFields) {
    const value = headers.get(name)
    if (value !== undefined && headers.delete(name)) fields[name] = value
  }
  const binding = { typ: 'comity-request', bnd: requestBinding(request.bound) } as const
  const { body, facts } = seal(plan.target, binding, { fields, body: request.body })
  headers.set('content-type', sealedMediaType)
  return { body, headers, facts }
}

/** What was sent, as far as the answer must fit it. */
export interface SentSealed {
  readonly plan: SealingPlan | undefined
  /** Of the request's body, when it was sealed. */
  readonly facts: SealedFacts | undefined
  /** Signature base of the request. */
  readonly base: string
}

/** An answer as the application reads it. */
export interface OpenedAnswer {
  readonly content: RawAnswer
  readonly facts: SealedFacts | undefined
}

/** Opens a verified answer and holds it against its receipt. Throws `answer-unsealed` for one in clear where sealing is
 *  required, `answer-invalid` for one that does not open or whose receipt says something else. */
export function openAnswer(
  answer: RawAnswer,
  { receipt }: VerifiedAnswer,
  { sent, sealing }: { readonly sent: SentSealed; readonly sealing: SealingPort },
): OpenedAnswer {
  const opened = openContent(answer, sent, sealing)
  const claimed = receipt?.claims.sea
  const expected = claimsOfSealed({
    // A refusal may have been decided before the body was opened.
    request: answer.status >= 400 && claimed?.req === undefined ? undefined : sent.facts,
    answer: opened.facts,
  })
  if (sealingText(claimed) !== sealingText(expected) && (receipt !== undefined || opened.facts !== undefined)) {
    throw new Problem('answer-invalid', 'the receipt commits to other content than was sealed')
  }
  return opened
}

function openContent(answer: RawAnswer, { plan, base }: SentSealed, { open }: SealingPort): OpenedAnswer {
  if (!isSealed(answer.headers.get('content-type'))) {
    if (plan?.isAnswerRequired === true && mustBeSealed(answer)) {
      throw new Problem('answer-unsealed', 'the holder sent content in clear')
    }
    return { content: answer, facts: undefined }
  }
  const algorithm = statedAlgorithm(Buffer.from(answer.body.subarray(0, 4_200)).toString('latin1'))
  if (algorithm === undefined || plan?.accepted.includes(algorithm) !== true) {
    throw new Problem('answer-invalid', 'the answer is sealed in a way that the request did not name')
  }
  const { content, facts } = asInvalid(() => open(answer.body, { typ: 'comity-answer', bnd: answerBinding(base) }))
  return { content: { ...answer, headers: withFields(answer, content), body: content.body }, facts }
}

/** A refusal of the holder's node holds no content; it may come before anything is settled. */
function mustBeSealed({ status, headers, body }: RawAnswer): boolean {
  if (body.length === 0) return false
  return status < 400 || headers.get('content-type') !== 'application/problem+json'
}

function asInvalid<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    throw new Problem('answer-invalid', 'the sealed answer cannot be opened', { cause })
  }
}

/** What a field of that kind says outside counts for nothing. */
function withFields({ headers }: RawAnswer, { fields }: SealedContent): Map<string, string> {
  const outside = [...headers].filter(([name]) => !innerFields.includes(name))
  return new Map([...outside, ...Object.entries(fields)])
}

/** Refusals that a newer document of the holder may cure: it seals since, or its keys have changed. */
const curable: ReadonlySet<string> = new Set(['sealing-required', 'unseal-failed'])

/** How to send once more after such a refusal, which came before the holder did anything; undefined when the holder's
 *  document says nothing new. */
export async function replanSealing(
  code: string | undefined,
  call: CallToSeal & { readonly plan: SealingPlan | undefined },
  sealing: SealingPort,
): Promise<SealingPlan | undefined> {
  if (code === undefined || !curable.has(code)) return undefined
  const plan = await planSealing(call, sealing, { anew: true }).catch(() => undefined)
  if (plan === undefined) return undefined
  const isNew = plan.accept !== call.plan?.accept || plan.target?.keyid !== call.plan?.target?.keyid
  return isNew || plan.target?.algorithm !== call.plan?.target?.algorithm ? plan : undefined
}
