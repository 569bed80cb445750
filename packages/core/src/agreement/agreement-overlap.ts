/** Whether two agreements would cover one and the same call: then a call must say under which of them it is made, so
 *  who makes the second one is better told before the calls are. */
import type { AgreementPermission, AgreementTerms } from './agreement-policy.ts'

/** Products of which both agreements, between the same two participants, cover the same calls at some time after
 *  `nowMs`. In their order. */
export function overlapOf(a: AgreementTerms, b: AgreementTerms, nowMs: number): string[] {
  if (a.id === b.id || a.assigner !== b.assigner || a.assignee !== b.assignee) return []
  const products = a.permissions.flatMap((one) =>
    b.permissions.flatMap((other) => (coverSameCalls(one, other, nowMs) ? common(one.products, other.products) : [])),
  )
  return [...new Set(products)]
}

function coverSameCalls(one: AgreementPermission, other: AgreementPermission, nowMs: number): boolean {
  const fromMs = Math.max(nowMs, one.fromMs ?? nowMs, other.fromMs ?? nowMs)
  const untilMs = Math.min(one.untilMs ?? Infinity, other.untilMs ?? Infinity)
  return fromMs < untilMs && meets(one.operations, other.operations) && meets(one.purposes, other.purposes)
}

/** A set that is undefined does not limit. */
function meets(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  return a === undefined || b === undefined || common(a, b).length > 0
}

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...a].filter((one) => b.has(one))
}
