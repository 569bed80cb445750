/** One holder's parts of a composite, asked for in one signed call; the parts whose tokens have run out once more, with
 *  fresh ones. */
import { problemType, sliceProblem, type Slice } from '@comity/core/exchange/composite-answer'
import { compositePath, compositeProduct } from '@comity/core/exchange/composite-parts'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply } from '../../http/problem-response.ts'
import { isStaleBy, type AttachedConsent } from '../outbound/outbound-consent.ts'
import { planSealing } from '../outbound/outbound-sealing.ts'
import { conclude, sendSealed, type OutboundParts, type PreparedRequest } from '../outbound/outbound.ts'
import type { Attempted } from '../outbound/send-request.ts'
import { sentPart, underConsent, type HolderParts, type ReadyPart } from './outbound-parts.ts'

/** One exchange that a composite needed. */
export interface CompositeExchange {
  /** DID of the holder. */
  readonly partner: string
  /** The own id of it. */
  readonly exchange: string
  readonly attempted: Attempted
  /** Names of its parts. */
  readonly parts: readonly string[]
}

/** What came of the parts for one holder. */
export interface HolderAnswer {
  readonly slices: ReadonlyMap<string, Slice>
  readonly exchanges: readonly CompositeExchange[]
}

export interface AskOptions {
  /** Fields that every request of the composite has. */
  readonly headers: ReadonlyMap<string, string>
  readonly deadlineMs: number
  readonly nextId: () => string
}

/** Asks, and records. What goes wrong is the answer of the parts. */
export async function askHolder(asked: HolderParts, options: AskOptions, parts: OutboundParts): Promise<HolderAnswer> {
  const first = await askOnce(asked, options, parts)
  const { fresh, refused } = await renew(asked.parts, first.slices, parts)
  const known = new Map([...first.slices, ...refused])
  if (fresh.length === 0) return { slices: known, exchanges: first.exchanges }
  const second = await askOnce({ ...asked, parts: fresh }, options, parts)
  return {
    slices: new Map([...known, ...second.slices]),
    exchanges: [...first.exchanges, ...second.exchanges],
  }
}

async function askOnce(asked: HolderParts, options: AskOptions, parts: OutboundParts): Promise<HolderAnswer> {
  const { nextId } = options
  const id = nextId()
  const names = asked.parts.map(({ name }) => name)
  try {
    const attempted = await send(asked, { id, ...options }, parts)
    const exchange = { partner: asked.partner.did, exchange: id, attempted, parts: names }
    return { slices: slicesOf(attempted, names, id), exchanges: [exchange] }
  } catch (error) {
    const problem = asProblem(error)
    if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, id)
    return { slices: new Map(names.map((name) => [name, problemSlice(problem, id)])), exchanges: [] }
  }
}

/** INVARIANT: nothing of an answer goes on before this node's record of it is on disk. */
async function send(
  asked: HolderParts,
  { id, headers, deadlineMs }: AskOptions & { readonly id: string },
  parts: OutboundParts,
): Promise<Attempted> {
  const { partner, about } = asked
  const startedMs = parts.world.clock.now()
  const body = Buffer.from(
    JSON.stringify({ parts: Object.fromEntries(asked.parts.map(({ name, wire }) => [name, wire])) }),
  )
  const sealing = await planSealing({ holder: partner.did, settings: partner.sealing, hasBody: true }, parts.sealing)
  const request: PreparedRequest = {
    product: compositeProduct,
    partner,
    sealing,
    method: 'POST',
    path: compositePath,
    query: '?',
    headers: new Map([...headers, ['content-type', 'application/json']]),
    body,
    agreementId: undefined,
    deadlineMs,
    about,
    parts: asked.parts.map(sentPart),
  }
  const trace = parts.tracer.startExchange({ direction: 'outbound', nowMs: startedMs })
  const span = trace?.startCall(startedMs)
  const { attempted } = await sendSealed(request, parts)
  const status = attempted.answer?.status
  span?.end(status, parts.world.clock.now())
  const call = { begun: { id, method: 'POST', startedMs }, request, trace }
  await conclude(parts, call, { attempted, status: attempted.problem?.status ?? status ?? 502 })
  return attempted
}

/** What each part was answered: by itself, or by the refusal of the whole. */
function slicesOf(attempted: Attempted, names: readonly string[], id: string): ReadonlyMap<string, Slice> {
  const { composite, answer, verified, problem } = attempted
  if (composite !== undefined) return composite.answer.slices
  const refusal =
    verified === undefined || answer === undefined
      ? problemSlice(problem ?? new Problem('internal-error', 'the call ended without a reason'), id)
      : wholeRefusal(answer.status, answer.body)
  return new Map(names.map((name) => [name, refusal]))
}

/** The holder's refusal of the whole, as it said it. */
function wholeRefusal(status: number, body: Uint8Array): Slice {
  const json = Buffer.from(body).toString('utf8')
  return { status, type: problemType, content: { as: 'problem', json } }
}

/** A refusal of this node. */
export function problemSlice(problem: Problem, id: string): Slice {
  const { status, body } = problemReply(problem, id)
  return { status, type: problemType, content: { as: 'problem', json: Buffer.from(body).toString('utf8') } }
}

/** The parts that a fresh token may help, with one; for those of which there is none, why. */
async function renew(
  sent: readonly ReadyPart[],
  slices: ReadonlyMap<string, Slice>,
  parts: OutboundParts,
): Promise<{ readonly fresh: readonly ReadyPart[]; readonly refused: ReadonlyMap<string, Slice> }> {
  const fresh: ReadyPart[] = []
  const refused = new Map<string, Slice>()
  for (const part of sent) {
    const slice = slices.get(part.name)
    if (part.consent === undefined || slice === undefined) continue
    try {
      const consent = await freshConsent(part.consent, slice, parts)
      if (consent !== undefined) fresh.push(underConsent(part, consent))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      refused.set(part.name, problemSlice(error, parts.newId()))
    }
  }
  return { fresh, refused }
}

async function freshConsent(
  consent: AttachedConsent,
  slice: Slice,
  parts: OutboundParts,
): Promise<AttachedConsent | undefined> {
  const code = sliceProblem(slice)
  if (isStaleBy(code, consent, parts)) return consent.renewed()
  if (code === 'consent-inactive' && stateIn(slice) === 'superseded') return consent.successor()
  return undefined
}

function stateIn({ content }: Slice): unknown {
  return content?.as === 'problem' ? (JSON.parse(content.json) as { state?: unknown }).state : undefined
}
