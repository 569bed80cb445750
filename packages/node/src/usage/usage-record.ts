/** What is counted of calls, for how each hour went: never who somebody is, never what was asked. */
import type { ProblemCode } from '@comity/core/problems'

/** As what this node took part: called, or calling. */
export const usageSides = ['holder', 'recipient'] as const
export type UsageSide = (typeof usageSides)[number]

/** By what calls are told apart; each a text, empty where there is none. */
export const usageDimensions = ['participant', 'client', 'key', 'credential', 'product', 'operation'] as const
export type UsageDimension = (typeof usageDimensions)[number]

/** Whose calls, to what. INVARIANT: every member is the name of an organisation or of something that an operator
 *  declared; never an address, never a person. */
export interface UsageFacts extends Readonly<Record<UsageDimension, string>> {
  readonly side: UsageSide
}

/** Why calls were refused: who asked was not known or its key was not for this, or had no more to spend; no agreement, no consent, the holder's rules;
 *  all else was wrong with the call itself. */
export const refusalClasses = ['identity', 'limit', 'agreement', 'consent', 'policy', 'request'] as const
export type RefusalClass = (typeof refusalClasses)[number]

/** Sums over calls. `failed` are those that neither succeeded nor were refused; `bytes` those of answers' bodies;
 *  `upstreamMs` the time that the API, or the partner, was waited for. */
export interface UsageCounts {
  readonly calls: number
  readonly failed: number
  readonly refused: Readonly<Record<RefusalClass, number>>
  /** What the calls cost of limits. */
  readonly units: number
  readonly bytes: number
  readonly upstreamMs: number
  readonly upstreamMaxMs: number
}

/** One call that is over. */
export interface UsedCall extends UsageFacts {
  readonly outcome: 'allowed' | 'denied' | 'failed'
  /** Of the problem it ended with; a partner's may be one that this version does not know. */
  readonly code: string | undefined
  readonly units: number
  readonly bytes: number
  readonly upstreamMs: number | undefined
}

const byCode: Readonly<Partial<Record<ProblemCode, RefusalClass>>> = {
  'participant-unknown': 'identity',
  'client-certificate-required': 'identity',
  'tls-untrusted': 'identity',
  'local-caller-refused': 'identity',
  unauthorized: 'identity',
  'rate-limited': 'limit',
  'quota-exceeded': 'limit',
  'concurrency-limited': 'limit',
  'limits-unavailable': 'limit',
  'batch-too-large': 'limit',
}

const byPrefix: readonly (readonly [prefix: string, of: RefusalClass])[] = [
  ['signature-', 'identity'],
  ['nonce-', 'identity'],
  ['did-', 'identity'],
  ['key-', 'identity'],
  ['credential-', 'identity'],
  ['sequence-', 'identity'],
  ['partner-', 'identity'],
  ['agreement-', 'agreement'],
  ['purpose-', 'agreement'],
  ['consent-', 'consent'],
  ['delegation-', 'consent'],
  ['subject-', 'consent'],
  ['policy-', 'policy'],
]

/** The class of a problem's code. */
export function refusalClassOf(code: string): RefusalClass {
  const known = (byCode as Readonly<Record<string, RefusalClass>>)[code]
  return known ?? byPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'request'
}
