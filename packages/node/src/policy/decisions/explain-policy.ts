/** Why each policy of a set did or did not match one request: its scope and conditions, looked at one by one. */
import type { PolicyJson } from '../engine/compile-policy.ts'
import type { PolicyEngine, PolicyRequest, PreparedPolicy, PreparedSet } from '../engine/policy-engine.ts'
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

/** A policy about another action or resource is about other calls; one about somebody else comes closer. */
function missing({ scope, conditions }: PolicyFinding): number {
  const isMissing = ({ holds }: Demand) => !holds
  const elsewhere = scope.filter(isMissing).map(({ text }) => (text.startsWith('principal') ? 1_000 : 1_000_000))
  return elsewhere.reduce((sum, weight) => sum + weight, conditions.filter(isMissing).length)
}

/** What it would take for the call to be allowed, one sentence for each policy that stands in the way or comes closest;
 *  nothing when it is allowed. */
export function whatIsNeeded(findings: readonly PolicyFinding[]): readonly string[] {
  const permits = findings.filter(({ effect }) => effect === 'permit')
  const forbids = findings.filter(({ effect }) => effect === 'forbid')
  const broken = findings.filter(isBroken)
  const closest = Math.min(...permits.map(missing))
  const near = permits.some(({ matches }) => matches) ? [] : permits.filter((permit) => missing(permit) === closest)
  return [
    ...broken.map(({ policy }) => `\`${policy}\` must be corrected: it cannot be evaluated for this call`),
    ...forbids
      .filter(({ matches }) => matches)
      .map((forbid) => `\`${forbid.policy}\` must not match: ${unlessOf(forbid)}`),
    ...near
      .filter((permit) => !isBroken(permit))
      .map((permit) => `\`${permit.policy}\` permits it when ${unmet(permit).join(' and ')}`),
    ...(permits.length === 0 ? ['a policy must permit it; there is none that permits anything'] : []),
  ]
}

const demandsIn = ({ scope, conditions }: PolicyFinding): readonly Demand[] => [...scope, ...conditions]
const unmet = (finding: PolicyFinding): string[] =>
  demandsIn(finding).flatMap(({ holds, text }) => (holds ? [] : [text]))

/** A condition is only looked at where the scope matches. */
function isBroken({ scope, conditions }: PolicyFinding): boolean {
  const firstFalse = conditions.findIndex(({ holds }) => !holds)
  return scope.every(({ holds }) => holds) && conditions[firstFalse]?.error !== undefined
}

function unlessOf(finding: PolicyFinding): string {
  const texts = demandsIn(finding).map(({ text }) => text)
  return texts.length === 0 ? 'it forbids every call' : `one of these must not hold: ${texts.join(', ')}`
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
