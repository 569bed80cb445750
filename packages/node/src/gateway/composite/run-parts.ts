/** The parts of a composite pass the same steps as calls of their own, a few side by side. All are judged up to the consent
 *  before any goes on: a composite is about one person at most. */
import { setImmediate } from 'node:timers/promises'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { asProblem } from '../../http/problem-response.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { PartOfCall } from '../inbound-call.ts'
import { compositeBytes, contentLength, overflow, partOfCall, refuseUnfit } from './composite-slices.ts'

export interface PartSteps {
  /** Up to whether the call is covered: nothing is asked of an API. */
  readonly cover: readonly Step[]
  readonly answer: readonly Step[]
  readonly randomBytes: RandomBytes
}

/** Parts that are asked for at the same time, at most. */
const atOnce = 4

/** Runs the parts; what ends one is its answer and ends no other. Throws `composite-mixed` before any API is called. */
export async function runParts(calls: ReadonlyMap<string, InboundCall>, steps: PartSteps): Promise<PartOfCall[]> {
  const all = [...calls.values()]
  await Promise.all(all.map((call) => runPart(call, steps.cover)))
  requireOnePerson(all)
  await answerParts(all, steps.answer)
  refuseUnfit(all)
  const parts: PartOfCall[] = []
  for (const [name, call] of calls) {
    parts.push(partOfCall(name, call, steps.randomBytes))
    // A long slice takes its time; others must have theirs between two.
    await setImmediate()
  }
  return parts
}

/** A few at a time, in the order of the request. Once what has come fills the composite no further part is begun. */
async function answerParts(calls: readonly InboundCall[], steps: readonly Step[]): Promise<void> {
  let taken = 0
  const waiting = calls.values()
  const takeTurns = async () => {
    for (const call of waiting) {
      if (taken >= compositeBytes) {
        call.problem ??= overflow()
        continue
      }
      await runPart(call, steps)
      taken += contentLength(call)
      await setImmediate()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, takeTurns))
}

async function runPart(call: InboundCall, steps: readonly Step[]): Promise<void> {
  try {
    for (const step of steps) {
      if (call.problem !== undefined) return
      const pending = step.run(call)
      if (pending !== undefined) await pending
    }
    if (call.answer?.stream === undefined) return
    call.answer.stream.cancel()
    throw new Error('the answer of a part was not read whole')
  } catch (error) {
    call.problem = asProblem(error)
  }
}

/** Judged by the names that the caller itself knows people by, and only of consents that cover their part: a caller who
 *  acts for two participants must not learn here that two of its names are one person. */
function requireOnePerson(calls: readonly InboundCall[]): void {
  const people = new Set(calls.flatMap(({ consent, problem }) => (consent && !problem ? [consent.pairwise] : [])))
  if (people.size > 1) {
    throw new Problem('composite-mixed', 'the consents of the parts are about different people')
  }
}
