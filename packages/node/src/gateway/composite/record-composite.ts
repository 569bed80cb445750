/** The end of a composite: one event, one receipt and one signature for all parts, durable together with every use of a
 *  consent and every decision before the first byte leaves. A consent that ended meanwhile takes its part with it, and
 *  no other. */
import { Problem } from '@comity/core/problems'
import type { Reply } from '../../http/problem-response.ts'
import { isReleased } from '../answered-exchange.ts'
import type { InboundCall, PartOfCall } from '../inbound-call.ts'
import { sealAnswer } from '../seal-answer.ts'
import {
  decisionEffects,
  recordFailure,
  signAnswer,
  useOf,
  type RecordOutcomeOptions,
} from '../steps/record-outcome.ts'
import { compositeAnswer, partOfCall } from './composite-slices.ts'

/** Ends a composite whose parts have their slices (`call.parts`). Rejects with what to answer instead: nothing of any
 *  part has left then. */
export async function recordComposite(call: InboundCall, options: RecordOutcomeOptions): Promise<Reply> {
  for (;;) {
    try {
      return await record(call, options)
    } catch (error) {
      if (!(await refuseEnded(call, options))) throw recordFailure(error)
    }
  }
}

async function record(call: InboundCall, options: RecordOutcomeOptions): Promise<Reply> {
  const parts = call.parts ?? []
  const nowMs = options.world.clock.now()
  const answer = sealAnswer(call, compositeAnswer(parts, nowMs), options.sealing)
  const outcome = options.recorder.prepareAnswered(call, answer, nowMs)
  // Everything that costs the processor is done before the wait for the disk.
  const headers = signAnswer(call, { answer, receipt: outcome.receipt }, options)
  await options.recorder.recordAnswered(
    call,
    outcome,
    parts.flatMap((part) => effectsOf(part, options)),
  )
  for (const part of parts) part.call.consent?.settle(isReleased(part.call, part.answer))
  return { status: answer.status, headers, body: answer.body }
}

function effectsOf({ call, answer }: PartOfCall, options: RecordOutcomeOptions) {
  return [...(isReleased(call, answer) ? useOf(call, options) : []), ...decisionEffects(call, options)]
}

/** Turns the parts whose consents do not stand any more into refusals. False when all stand: the record failed of
 *  something else. */
async function refuseEnded(call: InboundCall, { world }: RecordOutcomeOptions): Promise<boolean> {
  let isChanged = false
  const parts = await Promise.all(
    (call.parts ?? []).map(async (part) => {
      const { call: of, name } = part
      const refused = of.problem === undefined ? await of.consent?.confirm(world.clock.now()) : undefined
      if (refused === undefined) return part
      isChanged = true
      of.problem = new Problem(refused.code, refused.detail, { members: refused.members ?? {} })
      return partOfCall(name, of, world.randomBytes)
    }),
  )
  call.parts = parts
  return isChanged
}

/** Lets go of what the parts of a composite hold while they run; what was recorded as a use is settled by then. */
export function releaseParts(
  calls: Iterable<InboundCall>,
  { resolving }: Pick<RecordOutcomeOptions, 'resolving'>,
): void {
  for (const { consent, limits, resolved } of calls) {
    consent?.settle(false)
    limits?.end()
    if (resolved !== undefined) resolving.delete(resolved.id)
  }
}
