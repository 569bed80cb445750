/** The engine of functions: Cedar's JSON form compiled once, then decided without leaving JavaScript. */
import { comityActions } from './comity-actions.ts'
import { entityKey, type Entity } from './cedar-values.ts'
import { compilePolicy, type CompiledPolicy, type Scope } from './compile-policy.ts'
import { dependenciesOf } from './dependencies.ts'
import { EvaluationError } from './evaluation-error.ts'
import { Evaluation, knownEntity } from './evaluation.ts'
import type { Dependencies, EngineDecision, PolicyEngine, PolicyEntity, PreparedSet } from './policy-engine.ts'

/** The policies that can match requests of one action on one type of resource. */
interface Slice {
  readonly dependencies: Dependencies
  /** By the entity that the principal must be or be below. */
  readonly byPrincipal: ReadonlyMap<string, readonly CompiledPolicy[]>
  /** Of the others, by the entity that the resource must be or be below. */
  readonly byResource: ReadonlyMap<string, readonly CompiledPolicy[]>
  readonly rest: readonly CompiledPolicy[]
}

/** Actions that are not among `actions` are in no group. Throws a plain error for a policy that it cannot compile. */
export function compiledEngine(
  { policies }: Pick<PreparedSet, 'policies'>,
  actions: readonly PolicyEntity[] = comityActions,
): PolicyEngine {
  const compiled = policies.map(compilePolicy)
  const knownActions = new Map(actions.map((action) => [entityKey(action.uid), knownEntity(action)]))
  const slices = new Map<string, Slice>()
  const sliceOf = (action: string, resourceType: string): Slice => {
    const known = slices.get(`${action} ${resourceType}`)
    if (known !== undefined) return known
    const names = new Set([action, ...(knownActions.get(action)?.ancestors ?? [])])
    const slice = makeSlice(compiled.filter((policy) => mayMatch(policy, { action, names, resourceType })))
    // Actions and types come from the schema, so there are few; what is asked for beside them is not kept.
    if (knownActions.has(action)) slices.set(`${action} ${resourceType}`, slice)
    return slice
  }
  return {
    kind: 'compiled',
    decide(request) {
      const evaluation = new Evaluation(request, knownActions)
      return decide(sliceOf(evaluation.action.key, request.resource.type), evaluation)
    },
    dependencies: (action, resourceType) => sliceOf(entityKey(action), resourceType).dependencies,
  }
}

function mayMatch(
  { actions, isExactAction, resource }: CompiledPolicy,
  asked: { readonly action: string; readonly names: ReadonlySet<string>; readonly resourceType: string },
): boolean {
  if (resource.type !== undefined && resource.type !== asked.resourceType) return false
  if (actions === undefined) return true
  return isExactAction ? actions.has(asked.action) : [...asked.names].some((name) => actions.has(name))
}

function makeSlice(policies: readonly CompiledPolicy[]): Slice {
  const byPrincipal = new Map<string, CompiledPolicy[]>()
  const byResource = new Map<string, CompiledPolicy[]>()
  const rest: CompiledPolicy[] = []
  for (const policy of policies) {
    const { principal, resource } = policy
    if (principal.anchor !== undefined) pushTo(byPrincipal, principal.anchor, policy)
    else if (resource.anchor !== undefined) pushTo(byResource, resource.anchor, policy)
    else rest.push(policy)
  }
  return { dependencies: dependenciesOf(policies.map(({ json }) => json)), byPrincipal, byResource, rest }
}

function pushTo(buckets: Map<string, CompiledPolicy[]>, key: string, policy: CompiledPolicy): void {
  const bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, [policy])
  else bucket.push(policy)
}

function decide({ byPrincipal, byResource, rest }: Slice, evaluation: Evaluation): EngineDecision {
  const found: Found = { permits: [], forbids: [], errors: [] }
  evaluateAll(rest, evaluation, found)
  evaluateAnchored(byPrincipal, evaluation.principal, { evaluation, found })
  evaluateAnchored(byResource, evaluation.resource, { evaluation, found })
  const { permits, forbids, errors } = found
  const isAllowed = forbids.length === 0 && permits.length > 0
  return {
    decision: isAllowed ? 'allow' : 'deny',
    reasons: (forbids.length > 0 ? forbids : permits).toSorted(),
    errors: errors.toSorted((a, b) => (a.policy < b.policy ? -1 : 1)),
  }
}

interface Found {
  readonly permits: string[]
  readonly forbids: string[]
  readonly errors: { readonly policy: string; readonly message: string }[]
}

function evaluateAnchored(
  buckets: ReadonlyMap<string, readonly CompiledPolicy[]>,
  entity: Entity,
  { evaluation, found }: { readonly evaluation: Evaluation; readonly found: Found },
): void {
  if (buckets.size === 0) return
  evaluateAll(buckets.get(entity.key), evaluation, found)
  for (const key of evaluation.entity(entity)?.ancestors ?? [])
    if (key !== entity.key) evaluateAll(buckets.get(key), evaluation, found)
}

function evaluateAll(policies: readonly CompiledPolicy[] = [], evaluation: Evaluation, found: Found): void {
  for (const policy of policies) {
    try {
      if (isSatisfied(policy, evaluation)) (policy.effect === 'permit' ? found.permits : found.forbids).push(policy.id)
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      found.errors.push({ policy: policy.id, message: error.message })
    }
  }
}

/** The action was looked at when the slice was made. */
function isSatisfied({ principal, resource, conditions }: CompiledPolicy, evaluation: Evaluation): boolean {
  if (!fits(principal, evaluation.principal, evaluation) || !fits(resource, evaluation.resource, evaluation))
    return false
  return conditions.every((condition) => condition(evaluation))
}

function fits({ type, anchor, isExact }: Scope, entity: Entity, evaluation: Evaluation): boolean {
  if (type !== undefined && entity.type !== type) return false
  if (anchor === undefined) return true
  return isExact ? entity.key === anchor : evaluation.isIn(entity, anchor)
}
