/** Runs both engines on made-up policies and requests and compares what they say. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cedarEngine } from './cedar-engine.ts'
import { loadCedar } from './cedar-wasm.ts'
import { compiledEngine } from './compiled-engine.ts'
import type { EngineDecision, PreparedPolicy, PreparedSet } from './policy-engine.ts'
import { policyText } from './test-policies.ts'
import { policyRequest, testActions } from './test-requests.ts'

/** What the cases were made of, by which a test knows that they were worth something. */
export interface Seen {
  cases: number
  allowed: number
  denied: number
  /** Denied by a forbid. */
  forbidden: number
  withErrors: number
  readonly operators: Set<string>
  readonly errors: Set<string>
}

/** Throws with the smallest set and requests on which the engines differ. */
export function compareEngines({
  sets,
  requestsOfEach,
  seed,
}: {
  sets: number
  requestsOfEach: number
  seed?: number
}): Seen {
  const seen: Seen = {
    cases: 0,
    allowed: 0,
    denied: 0,
    forbidden: 0,
    withErrors: 0,
    operators: new Set(),
    errors: new Set(),
  }
  const requests = fc.array(policyRequest, { minLength: requestsOfEach, maxLength: requestsOfEach })
  const property = fc.property(fc.array(policyText, { minLength: 1, maxLength: 6 }), requests, (texts, all) => {
    const set = readSet(texts)
    const [compiled, cedar] = [compiledEngine(set, testActions), cedarEngine(set, testActions)]
    for (const { json } of set.policies) collectOperators(json, seen.operators)
    for (const request of all) {
      const [mine, reference] = [compiled.decide(request), cedar.decide(request)]
      assert.deepEqual(comparable(mine), comparable(reference))
      count(seen, mine, set)
    }
  })
  fc.assert(property, { numRuns: sets, ...(seed === undefined ? {} : { seed }) })
  return seen
}

/** Every policy by its place. The set has always the same hash, so Cedar keeps one. */
function readSet(texts: readonly string[]): PreparedSet {
  const policies = texts.map((text, at): PreparedPolicy => {
    const answer = loadCedar().policyToJson(text)
    if (answer.type === 'failure') throw new Error(`${answer.errors[0]?.message}: ${text}`)
    return { id: `p${at}`, effect: answer.json.effect, text, json: answer.json, annotations: {} }
  })
  return { policies, hash: 'made-up', warnings: [] }
}

function comparable({ decision, reasons, errors }: EngineDecision): object {
  return { decision, reasons, failed: errors.map(({ policy }) => policy) }
}

function count(seen: Seen, { decision, reasons, errors }: EngineDecision, { policies }: PreparedSet): void {
  seen.cases++
  if (decision === 'allow') seen.allowed++
  else seen.denied++
  if (policies.some(({ id, effect }) => effect === 'forbid' && reasons.includes(id))) seen.forbidden++
  if (errors.length > 0) seen.withErrors++
  for (const { message } of errors) seen.errors.add(message)
}

function collectOperators(json: unknown, operators: Set<string>): void {
  if (typeof json !== 'object' || json === null) return
  for (const [name, value] of Object.entries(json)) {
    if (!Array.isArray(json)) operators.add(name)
    collectOperators(value, operators)
  }
}

/** All that Cedar's JSON has in conditions. */
export const expectedOperators: readonly string[] = [
  'Value',
  'Var',
  'Set',
  'Record',
  '!',
  'neg',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '||',
  '+',
  '-',
  '*',
  'in',
  'is',
  'has',
  '.',
  'like',
  'if-then-else',
  'contains',
  'containsAll',
  'containsAny',
  'isEmpty',
  'getTag',
  'hasTag',
  'ip',
  'isIpv4',
  'isIpv6',
  'isLoopback',
  'isMulticast',
  'isInRange',
  'decimal',
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
  'datetime',
  'offset',
  'durationSince',
  'toDate',
  'toTime',
  'duration',
  'toMilliseconds',
  'toSeconds',
  'toMinutes',
  'toHours',
  'toDays',
]
