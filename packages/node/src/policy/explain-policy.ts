/** Why each policy of a set did or did not match one request: its scope and conditions, looked at one by one. */
import type { PolicyJson } from './engine/compile-policy.ts'
import type { PolicyEngine, PolicyRequest, PreparedPolicy, PreparedSet } from './engine/policy-engine.ts'
import { conjunctsOf, textOfExpression, textOfScope } from './est-text.ts'

/** What a policy demands, in its own words, and whether that is so. `error` says why it could not be told. */
export interface Demand {
  readonly text: string
  readonly holds: boolean
  readonly error?: string | undefined
}

export interface PolicyFinding {
  readonly policy: string
  readonly effect: 'permit' | 'forbid'
  /** True when all demands hold. */
  readonly matches: boolean
  /** Of principal, action and resource; empty for any. */
  readonly scope: readonly Demand[]
  /** Of `when`, and of `unless` as `not …`: all must hold. Those after the first that fails are looked at all the same. */
  readonly conditions: readonly Demand[]
}

type Compile = (set: Pick<PreparedSet, 'policies'>) => PolicyEngine
type Conditions = PolicyJson['conditions']

const anything = { op: 'All' } as const
const scopeNames = ['principal', 'action', 'resource'] as const

/** Those that match first, then those of which the least is missing. */
export function explainPolicies(
  policies: readonly PreparedPolicy[],
  request: PolicyRequest,
  compile: Compile,
): readonly PolicyFinding[] {
  const findings = policies.map((policy) => findingOf(policy, request, compile))
  return findings.toSorted((a, b) => missing(a) - missing(b) || (a.policy < b.policy ? -1 : 1))
}

/** What of the scope is missing weighs more: such a policy is about other calls. */
function missing({ scope, conditions }: PolicyFinding): number {
  const count = (demands: readonly Demand[]) => demands.filter(({ holds }) => !holds).length
  return count(scope) * 1_000 + count(conditions)
}

function findingOf({ id, effect, json }: PreparedPolicy, request: PolicyRequest, compile: Compile): PolicyFinding {
  const policy = json as PolicyJson
  const test = (changes: Partial<PolicyJson>, text: string): Demand => {
    const bare = { principal: anything, action: anything, resource: anything, conditions: [] }
    return { text, ...tested({ ...policy, effect: 'permit', ...bare, ...changes }, request, compile) }
  }
  const scope = scopeNames.flatMap((name) => {
    const text = textOfScope(name, policy[name])
    return text === undefined ? [] : [test({ [name]: policy[name] }, text)]
  })
  const conditions = policy.conditions.flatMap((condition) =>
    demandsOf(condition).map(({ text, body, kind }) => test({ conditions: [{ kind, body }] }, text)),
  )
  const matches = [...scope, ...conditions].every(({ holds }) => holds)
  return { policy: id, effect, matches, scope, conditions }
}

/** The parts of a `when`; an `unless` is one. */
function demandsOf({ kind, body }: Conditions[number]) {
  if (kind === 'unless') return [{ text: `not (${textOfExpression(body)})`, body, kind }]
  return conjunctsOf(body).map((part) => ({ text: textOfExpression(part), body: part, kind }))
}

function tested(json: PolicyJson, request: PolicyRequest, compile: Compile): Omit<Demand, 'text'> {
  const part: PreparedPolicy = { id: 'part', effect: 'permit', text: '', json, annotations: {} }
  const { decision, errors } = compile({ policies: [part] }).decide(request)
  const [error] = errors
  return { holds: decision === 'allow', ...(error && { error: error.message }) }
}
