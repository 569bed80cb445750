/** One policy as functions, and what of a request can make it match. */
import { keyIn, compileTest, type Expression, type Test } from './compile-expression.ts'
import type { EntityUid, PreparedPolicy } from './policy-engine.ts'

type UidJson = EntityUid | { readonly __entity: EntityUid }

interface ScopeJson {
  readonly op: 'All' | '==' | 'in' | 'is'
  readonly entity?: UidJson
  readonly entities?: readonly UidJson[]
  readonly entity_type?: string
  readonly in?: { readonly entity: UidJson }
}

/** A policy in Cedar's JSON form. */
export interface PolicyJson {
  readonly effect: 'permit' | 'forbid'
  readonly principal: ScopeJson
  readonly action: ScopeJson
  readonly resource: ScopeJson
  readonly conditions: readonly { readonly kind: 'when' | 'unless'; readonly body: Expression }[]
}

/** What the scope demands of principal or resource. */
export interface Scope {
  readonly type?: string | undefined
  /** Key of the entity that it must be, or be below. */
  readonly anchor?: string | undefined
  readonly isExact: boolean
}

export interface CompiledPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly principal: Scope
  readonly resource: Scope
  /** Keys of the actions, of which the request's must be one or below one; undefined for all. */
  readonly actions?: ReadonlySet<string> | undefined
  readonly isExactAction: boolean
  /** In Cedar's order; all must hold. */
  readonly conditions: readonly Test[]
  readonly json: PolicyJson
}

/** Throws a plain error for what Cedar's JSON does not know. */
export function compilePolicy({ id, json }: Pick<PreparedPolicy, 'id' | 'json'>): CompiledPolicy {
  const policy = json as PolicyJson
  return {
    id,
    effect: policy.effect,
    principal: scopeOf(policy.principal),
    resource: scopeOf(policy.resource),
    actions: actionsOf(policy.action),
    isExactAction: policy.action.op === '==',
    conditions: policy.conditions.map(({ kind, body }) => conditionOf(kind, compileTest(body))),
    json: policy,
  }
}

function conditionOf(kind: 'when' | 'unless', test: Test): Test {
  return kind === 'when' ? test : (evaluation) => !test(evaluation)
}

function scopeOf({ op, entity, entity_type: type, in: within }: ScopeJson): Scope {
  if (op === 'is') return { type, anchor: within && keyIn(within.entity), isExact: false }
  if (op === 'All') return { isExact: false }
  if (entity === undefined) throw new Error('a template is no policy')
  return { anchor: keyIn(entity), isExact: op === '==' }
}

function actionsOf({ op, entity, entities }: ScopeJson): ReadonlySet<string> | undefined {
  if (op === 'All') return undefined
  return new Set((entities ?? (entity === undefined ? [] : [entity])).map(keyIn))
}
