/** Inbound composites, `POST /composites`: one signed request for several operations, one answer with the slice that each
 *  grants, one receipt that names them all. */
import type { IncomingMessage } from 'node:http'
import {
  compositeOperation,
  compositePath,
  compositeProduct,
  compositeVersion,
} from '@comity/core/exchange/composite-parts'
import { Problem } from '@comity/core/problems'
import { sealedLength } from '@comity/core/sealing/sealed-envelope'
import { asProblem, type Reply } from '../../http/problem-response.ts'
import { answerSteps, callerSteps, coverSteps, observeCall, receive, runSteps, type InboundParts } from '../inbound.ts'
import type { InboundCall } from '../inbound-call.ts'
import type { OfferedProduct } from '../ports.ts'
import { limit } from '../steps/limit.ts'
import { recordOutcome } from '../steps/record-outcome.ts'
import { unseal } from '../steps/unseal.ts'
import { announcedIn, jointLimitFields } from './composite-limits.ts'
import { compositeBodyBytes, parseWireParts } from './composite-request.ts'
import { compositeSealing } from './composite-sealing.ts'
import { openPart } from './part-call.ts'
import { recordComposite, releaseParts } from './record-composite.ts'
import { runParts, type PartSteps } from './run-parts.ts'

/** Handles one request to `/composites`. */
export function createInboundComposite(parts: InboundParts): (message: IncomingMessage) => Promise<Reply> {
  const { world, limits, partnerOf, options } = parts
  const bodies = { bytes: sealedLength(compositeBodyBytes), room: options.bodies.room }
  const before = callerSteps({ ...parts, options: { ...options, bodies } })
  const steps: PartSteps = {
    cover: [limit({ world, limits, partnerOf }), ...coverSteps(parts)],
    answer: answerSteps(parts),
    randomBytes: world.randomBytes,
  }
  const outcome = { ...parts, ...parts.underWay }
  const settle = recordOutcome(outcome)
  return async (message) => {
    const call = receive(parts, message)
    if (!('request' in call)) return call
    const opened = new Map<string, InboundCall>()
    try {
      await runSteps(before, call)
      await openParts(call, parts, opened)
      call.parts = await runParts(opened, steps)
      call.limitFields = limitFieldsOf(opened)
      const reply = await recordComposite(call, outcome)
      observeParts(parts, call)
      observeCall(parts, call, reply.status)
      return reply
    } catch (error) {
      call.problem = asProblem(error)
      call.parts = undefined
      call.limitFields = limitFieldsOf(opened)
      call.partLimits = [...opened.values()].flatMap(({ limits: held }) => held ?? [])
      const reply = await settle(call)
      observeUnanswered(parts, { call, opened: opened.values(), status: reply.status })
      observeCall(parts, call, reply.status)
      return reply
    } finally {
      releaseParts(opened.values(), parts.underWay)
    }
  }
}

/** Fills `opened` with the parts that are asked for. */
async function openParts(call: InboundCall, parts: InboundParts, opened: Map<string, InboundCall>): Promise<void> {
  const { sealing, products } = parts
  if (call.request.method !== 'POST') {
    throw new Problem('method-not-allowed', 'composites are posted', { members: { allow: ['POST'] } })
  }
  if (call.caller === undefined) throw new Problem('signature-missing', 'composites are for participants')
  const unsealing = unseal({ sealing })
  // Until it is known what is asked for, a caller who takes answers sealed gets a refusal sealed.
  call.product = wholeProduct({ answers: 'offered', requests: 'offered' })
  call.operation = { operationId: compositeOperation, template: compositePath, units: 1 }
  await unsealing.run(call)
  requireJson(call)
  const asked = parseWireParts(call.body)
  for (const [name, part] of asked) opened.set(name, openPart(call, { name, part }, products))
  call.sealing.target = undefined
  call.product = wholeProduct(
    compositeSealing(
      [...opened.values()].map(({ addressed }) => addressed),
      sealing,
    ),
  )
  await unsealing.run(call)
}

/** Each part counts in the rate of its product. */
function limitFieldsOf(opened: ReadonlyMap<string, InboundCall>): readonly string[] {
  return jointLimitFields([...opened.values()].map(({ limitFields }) => announcedIn(limitFields)))
}

function requireJson({ request }: InboundCall): void {
  const type = request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/json') return
  throw new Problem('unsupported-media-type', 'composites are JSON', { members: { accepted: ['application/json'] } })
}

function observeParts(parts: InboundParts, { parts: answered = [] }: InboundCall): void {
  for (const { call, answer } of answered) observeCall(parts, call, answer.status)
}

/** Parts of a composite that ended as a whole: what they took of limits is taken. Those that were never begun took none. */
function observeUnanswered(
  parts: InboundParts,
  { call, opened, status }: { call: InboundCall; opened: Iterable<InboundCall>; status: number },
): void {
  for (const part of opened) {
    if (part.limits === undefined && part.problem === undefined) continue
    part.problem ??= call.problem
    observeCall(parts, part, status)
  }
}

function never(): never {
  throw new Error('a composite is not one product')
}

/** What stands for a product in the composite's own call. */
function wholeProduct(sealing: OfferedProduct['sealing']): OfferedProduct {
  return {
    id: compositeProduct,
    version: compositeVersion,
    productClass: 'partner',
    requestBytes: compositeBodyBytes,
    requireClientCertificate: false,
    keys: 'none',
    sealing,
    streamIdleMs: 0,
    hasCosts: false,
    operationAt: never,
    match: never,
    forward: never,
    judge: never,
    minimise: never,
    openStream: never,
  }
}
