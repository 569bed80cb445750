/** What is remembered is what would be decided: any questions, in any order, against policies that look at everything. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { decidePolicy, usableSet } from './decide-policy.ts'
import { compiledEngine } from '../engine/compiled-engine.ts'
import type { PreparedPolicy, PreparedSet } from '../engine/policy-engine.ts'
import { PolicyDecider, type DecidedCall } from '../policies.ts'
import { noRelations, type RequestRelations } from './policy-request.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import { prepareSet } from '../sets/prepare-set.ts'

const rules = [
  'permit (principal, action, resource) when { context has country && context.country == "CH" };',
  '@fields("name") permit (principal in Comity::Group::"labs", action, resource);',
  '@transforms("born: year") permit (principal == Comity::Human::"did:a/n", action in Comity::Action::"use", resource);',
  'permit (principal is Comity::Service, action == Comity::Action::"write", resource) when { context.consent };',
  'permit (principal, action, resource in Comity::Data::"sport") when { context.relations.contains("coach") };',
  '@sensitivity("internal") permit (principal, action, resource) when { resource.sensitivity < 3 && context.weekday < 6 };',
  'permit (principal, action, resource) when { context.address.isInRange(ip("192.0.2.0/24")) && context.delegated };',
  'permit (principal, action, resource in Comity::Product::"open") when { context has purpose && context.purpose like "urn:r*" };',
  'permit (principal, action, resource) when { context has agreement && context.agreement == "urn:1" };',
  'permit (principal is Comity::Human, action, resource) when { principal has assurance && principal.assurance == "high" };',
  'permit (principal, action, resource in Comity::Group::"shop");',
  'permit (principal is Comity::Participant, action, resource) when { principal has country && principal.country == "US" };',
  'permit (principal, action, resource) when { context.consent };',
  'permit (principal, action, resource) unless { context has assurance && context.assurance == "low" };',
  'forbid (principal, action, resource) when { resource.product.class == "public" && resource.method == "DELETE" };',
  'forbid (principal, action, resource) when { context.fields.contains("ssn") };',
  'forbid (principal, action, resource) when { context.now > datetime("2026-11-24") };',
  'forbid (principal, action, resource) when { context has assurance && context.assurance == "low" };',
]
let policies: readonly PreparedPolicy[]
before(async () => {
  const text = rules.map((rule, at) => `@id("p${at}") ${rule}`).join('\n')
  const preparation = await prepareSet([{ source: 'rules.cedar', text }])
  assert.ok(preparation.ok, JSON.stringify(preparation))
  policies = preparation.set.policies
})

const dayMs = 86_400_000
const startMs = Date.parse('2026-11-21T10:00:00Z')
const label = (path: string, domain: string, sensitivity: 'public' | 'internal' | 'restricted') => ({
  path,
  domain,
  sensitivity,
})
const labels = [
  label('name', 'identity', 'internal'),
  label('born', 'identity', 'restricted'),
  label('height', 'sport.body', 'public'),
  label('ssn', 'identity', 'restricted'),
]
const maybe = <T>(...values: readonly T[]) => fc.constantFrom(undefined, ...values)
const facts = fc.record({
  caller: maybe('did:a', 'did:b'),
  actorType: fc.constantFrom('human' as const, 'service' as const),
  actor: fc.boolean(),
  assurance: maybe('high', 'low'),
  country: maybe('CH', 'US'),
  address: fc.constantFrom('192.0.2.7', '203.0.113.1'),
  action: fc.constantFrom('read' as const, 'write' as const),
  product: fc.constantFrom('open', 'closed'),
  method: fc.constantFrom('GET', 'DELETE'),
  labels: fc.subarray(labels, { minLength: 1 }),
  purpose: maybe('urn:research', 'urn:other'),
  agreement: maybe('urn:1', 'urn:2'),
  consent: maybe('urn:c'),
  via: maybe(['did:b']),
  day: fc.integer({ min: 0, max: 4 }),
})
type Facts = typeof facts extends fc.Arbitrary<infer F> ? F : never

function questionOf({ day, actor, actorType, assurance, ...rest }: Facts): PolicyQuestion {
  return {
    ...rest,
    ...(rest.caller !== undefined && actor && { actor: { type: actorType, id: 'n', assurance } }),
    // A product has one class and one version, as long as nothing is forgotten.
    productClass: rest.product === 'open' ? 'public' : 'personal',
    version: '1',
    operation: 'o',
    nowMs: startMs + day * dayMs,
  }
}

const relations: fc.Arbitrary<RequestRelations> = fc.record({
  participantGroups: fc.subarray(['labs']),
  actorGroups: fc.subarray(['labs']),
  productGroups: fc.subarray(['shop']),
  operationGroups: fc.subarray(['shop']),
  relations: fc.subarray(['coach', 'parent']),
})

/** Few at a time: what one of them does not look at another one may. */
const chosenRules = fc.uniqueArray(fc.constantFrom(...rules.map((_, at) => `p${at}`)), { minLength: 1, maxLength: 3 })

/** A thing, and all that differ from it in one member. */
function neighbours<T extends object>(one: T, other: T): T[] {
  return [one, ...(Object.keys(one) as (keyof T)[]).map((name) => ({ ...one, [name]: other[name] }))]
}

test('a remembered decision is the one that would be made', () => {
  let reused = 0
  const given = fc.tuple(facts, facts, relations, relations)
  fc.assert(
    fc.property(chosenRules, given, (chosen, [one, other, found, changed]) => {
      const set: PreparedSet = {
        policies: policies.filter(({ id }) => chosen.includes(id)),
        hash: '',
        warnings: [],
      }
      let known = noRelations
      const decider = new PolicyDecider({
        engineOf: compiledEngine,
        relationships: () => ({ of: () => known }),
        decisions: { insert: () => ({ sql: '' }), prune: () => ({ sql: '' }) },
        execute: async () => undefined,
        clock: { now: () => 0 },
        options: { keepDecisions: 0, remembered: { values: 100, characters: 1_000_000 } },
        onFailure: () => undefined,
      })
      decider.makeUsable(set, 1)()
      const fresh = usableSet(set, 1, compiledEngine(set))
      const asked = [
        ...neighbours(one, other).map((each) => [questionOf(each), found] as const),
        ...neighbours(found, changed).map((each) => [questionOf(one), each] as const),
      ]
      for (const [question, relation] of asked) {
        known = relation
        const { verdict } = decider.decide(question) as DecidedCall
        assert.deepEqual(verdict, decidePolicy(fresh, question, relation).verdict)
      }
      reused += decider.counts().hits
    }),
    { numRuns: 400 },
  )
  assert.ok(reused > 1_000, `only ${reused} decisions were remembered ones`)
})
