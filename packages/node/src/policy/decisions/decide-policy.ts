/** The decision about one call by one set of policies. Pure; Cedar's answer in this node's words. */
import type { EngineDecision, PolicyEngine, PreparedSet } from '../engine/policy-engine.ts'
import { isUnmasked, maskOf, readMask, type PermitMask } from '../sets/policy-mask.ts'
import { leavesNothing, unwritable } from './left-by-mask.ts'
import { requestOf, type RequestRelations } from './policy-request.ts'
import type { PolicyQuestion, PolicyVerdict } from '../policy-service.ts'

/** A set ready to decide by. */
export interface UsableSet {
  readonly version: number
  readonly engine: PolicyEngine
  /** What each permit leaves, by its id. */
  readonly masks: ReadonlyMap<string, PermitMask>
  /** What forbids tell callers, by id. */
  readonly advice: ReadonlyMap<string, string>
}

/** A verdict, and what the operator alone is to know of it: policies whose evaluation failed, and why. */
export interface Judged {
  readonly verdict: PolicyVerdict
  readonly errors: EngineDecision['errors']
}

/** Reads masks and advice. The set was prepared, so its annotations can be read; throws an `Error` if not. */
export function usableSet({ policies }: PreparedSet, version: number, engine: PolicyEngine): UsableSet {
  const masks = new Map<string, PermitMask>()
  const advice = new Map<string, string>()
  for (const { id, effect, annotations } of policies) {
    const read = readMask(annotations, effect)
    if (read.faults.length > 0) throw new Error(`the annotations of the policy \`${id}\` cannot be read`)
    if (effect === 'permit') masks.set(id, read.mask)
    if (read.advice !== undefined) advice.set(id, read.advice)
  }
  return { version, engine, masks, advice }
}

/** Decides. INVARIANT: whatever cannot be evaluated is a denial. Throws what the engine throws. */
export function decidePolicy(set: UsableSet, question: PolicyQuestion, relations: RequestRelations): Judged {
  const { decision, reasons, errors } = set.engine.decide(requestOf(question, relations))
  const by = { policies: reasons, version: set.version }
  if (errors.length > 0) {
    const policies = [...new Set(errors.map(({ policy }) => policy))].toSorted()
    const verdict = failed({ policies, version: set.version }, 'a policy of the holder could not be evaluated')
    return { verdict, errors }
  }
  if (decision === 'deny') return { verdict: forbidden(set, reasons), errors: [] }
  const permits = reasons.map((id) => maskNamed(id, set))
  if (question.labels.length === 0 && !permits.some(isUnmasked)) {
    const told = reasons.map((policy) => ({ policy, message: unlabelledForOperator }))
    return {
      verdict: failed(by, unknownParts),
      errors: told,
    }
  }
  const mask = maskOf(permits, question.labels, question)
  if (mask === undefined) return { verdict: { allowed: true, ...by }, errors: [] }
  const verdict: PolicyVerdict = { allowed: true, ...by, mask }
  if (leavesNothing(mask, question)) return { verdict: refused(verdict, nothingLeft), errors: [] }
  const kept = unwritable(mask, question)
  if (kept.length === 0) return { verdict, errors: [] }
  const names = kept.slice(0, maxTold).map((field) => `\`${field}\``)
  return {
    verdict: refused(verdict, `the policies of the holder do not let the call change ${names.join(', ')}`),
    errors: [],
  }
}

function maskNamed(id: string, { masks }: UsableSet): PermitMask {
  const mask = masks.get(id)
  if (mask === undefined) throw new Error(`the engine names a permit \`${id}\`, which the set does not have`)
  return mask
}

/** Fields that are told of a refusal. */
const maxTold = 20

const nothingLeft = 'the policies of the holder leave nothing of what the call asks for'

/** What permits a call, for one that is refused for what the mask leaves of it. */
export function refused(verdict: PolicyVerdict, detail: string): PolicyVerdict {
  const { policies, version, mask } = verdict
  return { allowed: false, code: 'policy-denied', detail, policies, version, ...(mask && { mask }) }
}

/** What a caller is told where permits leave a part of what has no labelled fields. */
export const unknownParts = 'the policies leave only a part of an answer whose parts are not known'

const unlabelledForOperator =
  'the permit leaves only some fields, but this operation has no labelled fields: label them in the product, or add a permit without a mask'

function failed(by: { readonly policies: readonly string[]; readonly version: number }, detail: string): PolicyVerdict {
  return { allowed: false, code: 'policy-failed', detail, ...by }
}

function forbidden({ version, advice }: UsableSet, reasons: readonly string[]): PolicyVerdict {
  const told = reasons.flatMap((id) => advice.get(id) ?? [])
  return {
    allowed: false,
    code: 'policy-denied',
    detail:
      reasons.length === 0 ? 'no policy of the holder permits the call' : 'a policy of the holder forbids the call',
    policies: reasons,
    version,
    ...(told.length > 0 && { advice: [...new Set(told)] }),
  }
}
