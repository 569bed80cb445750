/** Outbound composites, `POST /~composite` on the listener for applications: several operations of one or several
 *  holders, asked at once; one wire exchange and one receipt for each holder. */
import type { IncomingMessage } from 'node:http'
import { parseActor } from '@comity/core/exchange/actor'
import { slicesText, type Slice } from '@comity/core/exchange/composite-answer'
import { Problem } from '@comity/core/problems'
import { readBody } from '../../http/body.ts'
import { requireLocalCaller } from '../../http/local-caller.ts'
import { asProblem, problemReply, type Reply } from '../../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../../http/received-request.ts'
import { recordRefusal, refuse } from '../outbound/outbound-refusal.ts'
import { createOutbound, type OutboundParts } from '../outbound/outbound.ts'
import { askHolder, problemSlice, type CompositeExchange } from './ask-holder.ts'
import { jointLimitFields } from './composite-limits.ts'
import { compositeBodyBytes } from './composite-request.ts'
import { byHolder, parseLocalParts, preparePart, purposeOf, sharedFields, type PreparedPart } from './outbound-parts.ts'

/** Where applications ask for composites. No partner can be called so. */
const localCompositePath = '/~composite'

/** Handles one request of the listener for applications: a call to one product, or to several at once. */
export function createLocalHandler(parts: OutboundParts): (message: IncomingMessage) => Promise<Reply> {
  const [call, composite] = [createOutbound(parts), createOutboundComposite(parts)]
  return (message) => (message.url === localCompositePath ? composite(message) : call(message))
}

/** Handles one request to `/~composite`; every error becomes the application's answer. */
function createOutboundComposite(parts: OutboundParts): (message: IncomingMessage) => Promise<Reply> {
  return async (message) => {
    const begun = { id: parts.newId(), method: message.method ?? '', startedMs: parts.world.clock.now() }
    let request: ReceivedRequest
    try {
      request = readRequest(message, false)
      requireLocalCaller(request, parts.options.trustedAuthorities)
    } catch (error) {
      const problem = asProblem(error)
      parts.tally.count(problem.code, message.socket.remoteAddress ?? '')
      return problemReply(problem, begun.id)
    }
    try {
      return await compose(parts, { message, request, id: begun.id })
    } catch (error) {
      const problem = asProblem(error)
      if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, begun.id)
      return refuse(parts, begun, problem)
    }
  }
}

interface LocalComposite {
  readonly message: IncomingMessage
  readonly request: ReceivedRequest
  readonly id: string
}

async function compose(parts: OutboundParts, { message, request, id }: LocalComposite): Promise<Reply> {
  if (request.method !== 'POST') {
    throw new Problem('method-not-allowed', 'composites are posted', { members: { allow: ['POST'] } })
  }
  const headers = headersOf(request)
  const asked = parseLocalParts(await readBody(message, request.headers, { bytes: compositeBodyBytes }))
  const purpose = purposeOf(request)
  const deadlineMs = parts.world.clock.now() + parts.options.timeoutMs
  const prepared = await Promise.all([...asked].map(([name, part]) => preparePart({ name, part, purpose }, parts)))
  const holders = byHolder(prepared.flatMap((part) => ('problem' in part ? [] : [part])))
  const options = { headers, deadlineMs, nextId: idsFrom(id, parts.newId) }
  const refused = await refuseParts(prepared, options.nextId, parts)
  const answers = await Promise.all(holders.map((holder) => askHolder(holder, options, parts)))
  const slices = new Map([...refused, ...answers.flatMap((answer) => [...answer.slices])])
  const exchanges = answers.flatMap((answer) => answer.exchanges)
  return replyOf(id, inOrder(asked.keys(), slices), exchanges)
}

/** The fields that go on; an actor that the holders could not read is refused here. */
function headersOf(request: ReceivedRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const name of sharedFields) {
    const value = request.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  const actor = headers.get('comity-actor')
  if (actor !== undefined) parseActor(actor)
  return headers
}

/** The id that the application reads is that of the first record. */
function idsFrom(first: string, next: () => string): () => string {
  let isFirst = true
  return () => {
    if (!isFirst) return next()
    isFirst = false
    return first
  }
}

/** What this node does not send is logged like every other refusal. */
async function refuseParts(
  prepared: readonly PreparedPart[],
  nextId: () => string,
  parts: OutboundParts,
): Promise<Map<string, Slice>> {
  const slices = new Map<string, Slice>()
  for (const part of prepared) {
    if (!('problem' in part)) continue
    const { name, problem, peer, product } = part
    const id = nextId()
    if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? problem, id)
    const begun = { id, method: 'GET', startedMs: parts.world.clock.now() }
    await recordRefusal(parts, { ...begun, peer, product }, problem)
    slices.set(name, problemSlice(problem, id))
  }
  return slices
}

function inOrder(names: Iterable<string>, slices: ReadonlyMap<string, Slice>): ReadonlyMap<string, Slice> {
  return new Map(
    [...names].flatMap((name) => {
      const slice = slices.get(name)
      return slice === undefined ? [] : [[name, slice] as const]
    }),
  )
}

const common = ['content-type', 'application/json', 'cache-control', 'no-store']

/** The slices as their holders sent them, and what proves them. */
function replyOf(id: string, slices: ReadonlyMap<string, Slice>, exchanges: readonly CompositeExchange[]): Reply {
  const proofs = exchanges.map(({ partner, exchange, attempted, parts }) => {
    const receipt = attempted.verified?.receipt
    const stated = receipt?.claims.pth === undefined ? undefined : attempted.composite?.stated
    return { partner, exchange, parts, ...(receipt && { receipt: receipt.jws }), ...(stated && { stated }) }
  })
  const limits = exchanges.flatMap(({ attempted: { verified, answer } }) =>
    verified === undefined || answer === undefined ? [] : [(name: string) => answer.headers.get(name)],
  )
  const headers = [...common, 'comity-exchange', id, ...jointLimitFields(limits)]
  const body = Buffer.from(`{"parts":${slicesText(slices)},"exchanges":${JSON.stringify(proofs)}}`)
  return { status: 200, headers, body }
}
