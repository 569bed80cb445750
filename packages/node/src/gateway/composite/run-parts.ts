/** The parts of a composite pass the same steps as calls of their own, side by side. All are judged up to the consent
 *  before any goes on: a composite is about one person at most. */
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { asProblem } from '../../http/problem-response.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { PartOfCall } from '../inbound-call.ts'
import { fitting, partOfCall } from './composite-slices.ts'

export interface PartSteps {
  /** Up to whether the call is covered: nothing is asked of an API. */
  readonly cover: readonly Step[]
  readonly answer: readonly Step[]
  readonly randomBytes: RandomBytes
}

/** Runs the parts; what ends one is its answer and ends no other. Throws `composite-mixed` before any API is called. */
export async function runParts(calls: ReadonlyMap<string, InboundCall>, steps: PartSteps): Promise<PartOfCall[]> {
  const all = [...calls.values()]
  await Promise.all(all.map((call) => runPart(call, steps.cover)))
  requireOnePerson(all)
  await Promise.all(all.map((call) => runPart(call, steps.answer)))
  const { randomBytes } = steps
  return fitting(
    [...calls].map(([name, call]) => partOfCall(name, call, randomBytes)),
    randomBytes,
  )
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
