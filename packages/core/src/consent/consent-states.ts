/** The life of a consent as a table: which step leads where, and who may take it. */
import type { ConsentActor, ConsentEvent, ConsentState } from './consent-record.ts'

export type ConsentStep = ConsentEvent['type']

/** A consent that somebody paused. Whose pause it is decides who lifts it. */
export interface PausedConsent {
  readonly state: 'paused'
  readonly pausedBy: ConsentActor
}

const person = ['subject', 'grantor'] as const
type Rule = readonly [next: ConsentState, by: readonly ConsentActor[]]
type Rules = Readonly<Partial<Record<ConsentStep, Rule>>>

const ends: Rules = {
  withdrawn: ['withdrawn', person],
  revoked: ['revoked', ['holder', 'recipient']],
  expired: ['expired', ['clock']],
  superseded: ['superseded', [...person, 'holder']],
}

const undecided: Rules = {
  deferred: ['deferred', person],
  refused: ['refused', person],
  granted: ['active', person],
  // A request that nobody decides on lapses, and may be taken back or turned away before.
  expired: ['expired', ['clock']],
  revoked: ['revoked', ['holder', 'recipient']],
}

const table: Readonly<Record<ConsentState, Rules>> = {
  requested: { ...undecided, presented: ['requested', person] },
  deferred: { ...undecided, presented: ['deferred', person] },
  active: { ...ends, amended: ['active', person], paused: ['paused', [...person, 'holder']] },
  paused: { ...ends, amended: ['paused', person], resumed: ['active', [...person, 'holder']] },
  refused: {},
  expired: {},
  withdrawn: {},
  revoked: {},
  superseded: {},
}

/** True for a state that no step leaves. */
export function isFinalState(state: ConsentState): boolean {
  return Object.keys(table[state]).length === 0
}

/** The state after a step, or undefined when the step is not possible there or not for this actor. `from` is undefined
 *  before the request. A pause is lifted by the side that made it, and subject and grantor are one side; so `resumed`
 *  needs to know whose pause it is, and without that is not possible. */
export function decideStep(
  from: ConsentState | PausedConsent | undefined,
  step: ConsentStep,
  by: ConsentActor,
): ConsentState | undefined {
  if (from === undefined) return step === 'requested' && by === 'recipient' ? 'requested' : undefined
  const state = typeof from === 'string' ? from : from.state
  const rule = table[state][step]
  if (rule === undefined || !rule[1].includes(by)) return undefined
  if (step === 'resumed' && (typeof from === 'string' || isPerson(from.pausedBy) !== isPerson(by))) return undefined
  return rule[0]
}

function isPerson(actor: ConsentActor): boolean {
  return actor === 'subject' || actor === 'grantor'
}
