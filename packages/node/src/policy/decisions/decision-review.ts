/** Decisions looked at again: why one came out as it did, and what another set would have decided. */
import { setImmediate } from 'node:timers/promises'
import type { FieldMask } from '@comity/core/policy/field-mask'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { DecisionDetails, DecisionStore, Outcome, StoredDecision } from './decision-store.ts'
import { decidePolicy, unknownParts, usableSet, type UsableSet } from './decide-policy.ts'
import type { PolicyEngine, PreparedSet } from '../engine/policy-engine.ts'
import { explainPolicies, whatIsNeeded, type PolicyFinding } from './explain-policy.ts'
import { outcomeOf } from '../policies.ts'
import { leavesNothing, leftBy, unwritable } from './left-by-mask.ts'
import { requestOf } from './policy-request.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import type { PolicySetStore } from '../sets/policy-set-store.ts'

export interface ReviewParts {
  readonly decisions: Pick<DecisionStore, 'find' | 'list' | 'parts'>
  readonly sets: Pick<PolicySetStore, 'find'>
  /** The engine that decides here. */
  readonly engineOf: (set: PreparedSet) => PolicyEngine
  /** An engine on Cedar's JSON form alone. */
  readonly compile: (set: Pick<PreparedSet, 'policies'>) => PolicyEngine
  readonly clock: Clock
}

/** Why a call was allowed or denied. */
export interface Explanation {
  readonly exchange: string
  readonly atMs: number
  /** Of the set that decided. */
  readonly version: number
  readonly outcome: Outcome
  /** Ids of the policies that decided. */
  readonly policies: readonly string[]
  /** Field -> the transforms that it leaves with; undefined when all fields left as they are. With `denied`: what was
   *  permitted is refused for what its mask leaves, mostly nothing. */
  readonly mask?: Readonly<Record<string, readonly string[]>> | undefined
  /** The call in Cedar's words. */
  readonly request: ReturnType<typeof requestOf>
  /** What it would take for the call to be allowed: sentences; none when it was. */
  readonly needed: readonly string[]
  /** Every policy of the set, those that decided first, then those that came closest. */
  readonly findings: readonly PolicyFinding[]
}

/** One call that another set decides otherwise. */
export interface ChangedDecision {
  readonly exchange: string
  readonly atMs: number
  readonly caller: string | undefined
  readonly product: string
  readonly operation: string
  readonly before: DecidedAs
  readonly after: DecidedAs
  readonly change: 'allowed-denied' | 'denied-allowed' | 'mask' | 'failed'
}

export interface DecidedAs {
  readonly outcome: Outcome
  readonly policies: readonly string[]
  readonly mask?: Readonly<Record<string, readonly string[]>> | undefined
}

export interface PolicyDiff {
  /** Calls that were looked at. */
  readonly compared: number
  /** Of people who were erased since: nobody can say any more what was asked. */
  readonly unreadable: number
  readonly changed: readonly ChangedDecision[]
  /** More have changed than are listed. */
  readonly changedInAll: number
}

export interface DecisionReview {
  /** Throws `policy-unknown` when the decision, or the set that made it, is not kept, `subject-erased`. */
  explain(exchange: string): Promise<Explanation>
  /** Ids of the parts of a composite, each of which is explained by itself; none for any other exchange. */
  partsOf(exchange: string): Promise<readonly string[]>
  /** Decides the newest `last` calls anew. */
  diff(set: PreparedSet, last: number): Promise<PolicyDiff>
}

const pageSize = 200
const maxListed = 1_000
/** Calls go on while many are decided anew; none waits for longer. */
const yieldAfterMs = 10

export function createDecisionReview(parts: ReviewParts): DecisionReview {
  return {
    explain: (exchange) => explain(exchange, parts),
    partsOf: (exchange) => parts.decisions.parts(exchange),
    diff: (set, last) => diff(usableSet(set, 0, parts.engineOf(set)), last, parts),
  }
}

async function explain(exchange: string, { decisions, sets, compile }: ReviewParts): Promise<Explanation> {
  const decision = await decisions.find(exchange)
  if (decision === undefined) {
    throw new Problem('policy-unknown', 'no decision of policies about this exchange is kept here')
  }
  const { atMs, version, details } = decision
  if (details === undefined) {
    throw new Problem(
      'subject-erased',
      'the person that the exchange was about has been erased, and the decision with them',
    )
  }
  const { question, relations, policies, mask } = details
  const outcome = outcomeGot(details)
  const request = requestOf(question, relations)
  const set = version === 0 ? undefined : await sets.find(version)
  if (version > 0 && set === undefined) throw new Problem('policy-unknown', `version ${version} is not kept here`)
  const findings = explainPolicies(set?.prepared.policies ?? [], request, compile)
  const needed = outcome === 'allowed' ? [] : neededBy(details, findings)
  return { exchange, atMs, version, outcome, policies, mask: mask && maskText(mask), request, needed, findings }
}

/** Sentences. What is permitted and yet denied is so for what its permits leave. */
function neededBy({ mask, policies, question }: DecisionDetails, findings: readonly PolicyFinding[]) {
  if (mask === undefined) return failsForParts(question, policies, findings) ?? whatIsNeeded(findings)
  const asked = question.asked ?? question.labels.map(({ path }) => path)
  const names = policies.map((id) => `\`${id}\``).join(' or ')
  const kept = unwritable(mask, question)
  if (kept.length > 0) return [`${names} must leave what the call changes: ${kept.join(', ')}`]
  const left = leftBy(mask, question).fields.map(({ path }) => path)
  const wanted = left.length === 0 ? 'some' : `more than ${left.join(', ')}`
  return [`${names} must leave ${wanted} of the fields that the call asks for: ${asked.join(', ')}`]
}

/** What was permitted, and failed since the operation has no labelled fields of which a part could be left. */
function failsForParts(
  { labels, product, operation }: PolicyQuestion,
  policies: readonly string[],
  findings: readonly PolicyFinding[],
): readonly string[] | undefined {
  const decided = findings.filter(({ policy }) => policies.includes(policy))
  const isPermitted = decided.length > 0 && decided.every(({ effect, matches }) => effect === 'permit' && matches)
  if (labels.length > 0 || !isPermitted) return undefined
  const names = policies.map((id) => `\`${id}\``).join(' or ')
  const what = `\`${product}/${operation}\` must have labelled fields, or another permit without a mask must permit it`
  return [`${unknownParts}, as ${names} would have it: ${what}`]
}

async function diff(set: UsableSet, last: number, { decisions, clock }: ReviewParts): Promise<PolicyDiff> {
  const changed: ChangedDecision[] = []
  const counts = { compared: 0, unreadable: 0, changedInAll: 0 }
  let before: string | undefined
  let sinceMs = clock.now()
  for (let left = last; left > 0;) {
    const page = await decisions.list(Math.min(left, pageSize), before)
    for (const decision of page) {
      if (clock.now() - sinceMs >= yieldAfterMs) {
        await setImmediate()
        sinceMs = clock.now()
      }
      if (decision.details === undefined) {
        counts.unreadable += 1
        continue
      }
      counts.compared += 1
      const change = changeOf(decision, set)
      if (change === undefined) continue
      counts.changedInAll += 1
      if (changed.length < maxListed) changed.push(change)
    }
    const end = page.at(-1)
    if (end === undefined || page.length < pageSize) break
    before = end.exchange
    left -= page.length
  }
  return { ...counts, changed }
}

function changeOf({ exchange, atMs, details }: StoredDecision, set: UsableSet): ChangedDecision | undefined {
  if (details === undefined) return undefined
  const { question, relations, policies, mask } = details
  const left = mask && { mask: maskText(leftBy(mask, question)) }
  const before: DecidedAs = { outcome: outcomeGot(details), policies, ...left }
  const after = decidedBy(set, question, relations)
  const change = kindOf(before, after, question)
  if (change === undefined) return undefined
  const { caller, product, operation } = question
  return { exchange, atMs, caller, product, operation, before, after, change }
}

function decidedBy(
  set: UsableSet,
  ...asked: Parameters<typeof decidePolicy> extends [unknown, ...infer R] ? R : never
): DecidedAs {
  try {
    const { verdict } = decidePolicy(set, ...asked)
    const { policies, mask } = verdict
    return { outcome: outcomeOf(verdict), policies, ...(mask && { mask: maskText(leftBy(mask, asked[0])) }) }
  } catch {
    return { outcome: 'failed', policies: [] }
  }
}

/** What the caller got. Before masks were part of a decision, reads that they left nothing of were kept as allowed. */
function outcomeGot({ question, outcome, mask }: DecisionDetails): Outcome {
  return outcome === 'allowed' && mask !== undefined && leavesNothing(mask, question) ? 'denied' : outcome
}

/** Which policies decided does not matter where the outcome is the same. */
function kindOf(before: DecidedAs, after: DecidedAs, question: PolicyQuestion): ChangedDecision['change'] | undefined {
  if (before.outcome === after.outcome) {
    return before.outcome !== 'allowed' || leaving(before, question) === leaving(after, question) ? undefined : 'mask'
  }
  if (after.outcome === 'failed') return 'failed'
  if (before.outcome === 'allowed') return 'allowed-denied'
  return after.outcome === 'allowed' ? 'denied-allowed' : undefined
}

/** What leaves of the fields, and how. No mask leaves as much as one that names every field that the call may have. */
function leaving({ mask }: DecidedAs, { labels, asked = labels.map(({ path }) => path) }: PolicyQuestion): string {
  const whole = () => Object.fromEntries(asked.map((path) => [path, []]))
  return JSON.stringify(Object.entries(mask ?? whole()).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** `{ "born": ["year"], "name": [] }`, in the order of names. */
function maskText({ fields }: FieldMask) {
  const texts = fields.map(({ path, transforms, groupsOf }) => {
    const named = transforms.map(({ path: at, op, fn, arg }) =>
      [
        ...(at === path ? [] : [`${at}:`]),
        op,
        ...(fn === undefined ? [] : [fn]),
        ...(arg === undefined ? [] : [arg]),
      ].join(' '),
    )
    return [path, groupsOf === undefined ? named : [...named, `in groups of ${groupsOf}`]] as const
  })
  return Object.fromEntries(texts.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
