/** What this node itself refuses of its applications' calls, before anything left it. */
import type { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../../http/problem-response.ts'
import type { ReceivedRequest } from '../../http/received-request.ts'
import { refusedCall, type PartiesParts, type RefusedCall } from './outbound-parties.ts'
import { parseOutboundRoute } from './outbound-route.ts'
import type { Begun, OutboundParts } from './outbound.ts'

type RefusalParts = Pick<OutboundParts, 'recorder' | 'observer' | 'world'>

/** Whose call it is on this side; keys of applications are not told apart here. */
export const asRecipient = { side: 'recipient', client: '', key: '', credential: 'none' } as const

/** Refused by this node itself, before anything left it: logged and told like every other refusal. */
export async function refuse(parts: RefusalParts, begun: Begun & RefusedCall, problem: Problem): Promise<Reply> {
  try {
    await recordRefusal(parts, begun, problem)
  } catch (error) {
    return problemReply(asProblem(error), begun.id)
  }
  const unsent = { participant: '', product: '', operation: '', outcome: 'denied', units: 0, bytes: 0 } as const
  parts.observer.counted({ ...asRecipient, ...unsent, code: problem.code, upstreamMs: undefined })
  return problemReply(problem, begun.id, ['comity-exchange', begun.id])
}

/** Durable on return, and told. Throws `record-failed`. */
export async function recordRefusal(
  { recorder, observer, world }: RefusalParts,
  { id, method, startedMs, peer, product }: Begun & RefusedCall,
  { code, status }: Problem,
): Promise<void> {
  const timeMs = world.clock.now()
  await recorder.recordUnsent({ id, method, problem: code, timeMs, peer, product })
  observer.exchange({
    direction: 'outbound',
    id,
    peer,
    product,
    operation: undefined,
    status,
    outcome: 'denied',
    code,
    durationMs: Math.max(0, timeMs - startedMs),
    upstreamMs: undefined,
  })
}

/** What can be told of a call that ended before it was sent. */
export function calledBy(parts: Pick<PartiesParts, 'partners'>, { path }: ReceivedRequest): RefusedCall {
  try {
    const { partner, product } = parseOutboundRoute(path)
    return refusedCall(parts, partner, product)
  } catch {
    return {} // The path is what was refused.
  }
}
