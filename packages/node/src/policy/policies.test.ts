import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyEngine, PolicyRequest, PreparedPolicy, PreparedSet } from './engine/policy-engine.ts'
import { compiledEngine } from './engine/compiled-engine.ts'
import { PolicyDecider, type DecidedCall, type PolicyFailure } from './policies.ts'
import { noRelations } from './decisions/policy-request.ts'
import type { PolicyQuestion } from './policy-service.ts'

const question: PolicyQuestion = {
  caller: 'did:web:lab.example',
  address: '192.0.2.1',
  action: 'read',
  product: 'athletes',
  productClass: 'personal',
  version: '1.0.0',
  operation: 'athlete',
  method: 'GET',
  labels: [{ path: 'name', domain: 'identity', sensitivity: 'confidential' }],
  consent: 'urn:uuid:1',
  subject: 'h-kim',
  nowMs: Date.parse('2026-11-20T10:00:00Z'),
}

const any = { op: 'All' }
const policyOf = (id: string, changes: Partial<PreparedPolicy> & { readonly when?: unknown } = {}): PreparedPolicy => {
  const { when, effect = 'permit', ...rest } = changes
  const conditions = when === undefined ? [] : [{ kind: 'when', body: when }]
  const json = { effect, principal: any, action: any, resource: any, conditions }
  return { id, effect, text: '', json, annotations: { id }, ...rest }
}
const setOf = (...policies: readonly PreparedPolicy[]): PreparedSet => ({ policies, hash: 'h', warnings: [] })
const contextMember = (attr: string) => ({ '.': { left: { Var: 'context' }, attr } })
const equals = (left: unknown, value: unknown) => ({ '==': { left, right: { Value: value } } })

/** Counts what it evaluates. */
class CountingEngine {
  decided: PolicyRequest[] = []
  of(set: PreparedSet): PolicyEngine {
    const engine = compiledEngine(set)
    return {
      kind: 'compiled',
      dependencies: (...asked) => engine.dependencies(...asked),
      decide: (request) => {
        this.decided.push(request)
        return engine.decide(request)
      },
    }
  }
}

function open(options: { keepDecisions?: number; engineOf?: (set: PreparedSet) => PolicyEngine } = {}) {
  const engine = new CountingEngine()
  const failures: PolicyFailure[] = []
  const relations = { now: noRelations as unknown }
  const decider = new PolicyDecider({
    engineOf: options.engineOf ?? ((set) => engine.of(set)),
    relationships: () => ({
      of: () => {
        if (relations.now instanceof Error) throw relations.now
        return relations.now as typeof noRelations
      },
    }),
    decisions: {
      insert: (decision) => ({ sql: 'insert', params: [JSON.stringify(decision)] }),
      prune: (keep) => ({ sql: 'prune', params: [keep] }),
    },
    execute: async () => undefined,
    clock: { now: () => 5 },
    options: { keepDecisions: options.keepDecisions ?? 10, remembered: { values: 3, characters: 10_000 } },
    onFailure: (failure) => failures.push(failure),
  })
  const decide = (changes: Partial<PolicyQuestion> = {}) =>
    (decider.decide({ ...question, ...changes }) as DecidedCall).verdict
  return { decider, decide, engine, failures, relations }
}

test('without a set everything is allowed, by version 0 and no policy', () => {
  const { decide } = open()
  assert.deepEqual(decide(), { allowed: true, policies: [], version: 0 })
})

test('a set is in force from the moment that it is used, not before', () => {
  const { decider, decide } = open()
  const use = decider.makeUsable(setOf(), 1)
  assert.equal(decide().allowed, true)
  use()
  const verdict = decide()
  assert.deepEqual([verdict.allowed, verdict.version, decider.version], [false, 1, 1])
})

test('a decision is made once for all calls that the policies cannot tell apart', () => {
  const { decider, decide, engine } = open()
  decider.makeUsable(setOf(policyOf('p', { when: equals(contextMember('purpose'), 'urn:a') })), 1)()
  for (const address of ['192.0.2.1', '192.0.2.2']) assert.equal(decide({ purpose: 'urn:a', address }).allowed, true)
  assert.equal(engine.decided.length, 1)
  assert.equal(decide({ purpose: 'urn:b' }).allowed, false)
  assert.equal(decide({ purpose: 'urn:a', caller: 'did:web:other.example' }).allowed, true)
  assert.equal(engine.decided.length, 3)
  assert.deepEqual(decider.counts(), { remembered: 3, hits: 1, misses: 3 })
})

test('what looks at the time is decided anew each time', () => {
  const { decider, decide, engine } = open()
  const until = {
    '<': { left: contextMember('now'), right: { Value: { __extn: { fn: 'datetime', arg: '2026-11-21' } } } },
  }
  decider.makeUsable(setOf(policyOf('p', { when: until })), 1)()
  assert.equal(decide().allowed, true)
  assert.equal(decide({ nowMs: question.nowMs + 86_400_000 }).allowed, false)
  assert.equal(engine.decided.length, 2)
})

test('other relations to the person, groups or fields are other calls', () => {
  const { decider, decide, engine, relations } = open()
  const coach = { contains: { left: contextMember('relations'), right: { Value: 'coach' } } }
  decider.makeUsable(setOf(policyOf('p', { when: coach })), 1)()
  assert.equal(decide().allowed, false)
  relations.now = { ...noRelations, relations: ['coach'] }
  assert.equal(decide().allowed, true)
  const mask = policyOf('m', { annotations: { id: 'm', fields: 'name' } })
  decider.makeUsable(setOf(mask), 2)()
  assert.deepEqual(decide(), {
    allowed: true,
    policies: ['m'],
    version: 2,
    mask: { fields: [{ path: 'name', transforms: [] }] },
  })
  const labels = [...question.labels, { path: 'born', domain: 'identity', sensitivity: 'internal' } as const]
  const verdict = decide({ labels })
  assert.deepEqual(verdict.allowed && verdict.mask?.fields.map(({ path }) => path), ['name'])
  assert.equal(engine.decided.length, 4)
})

test('no more is remembered than fits, and nothing after a change', () => {
  const { decider, decide, engine } = open()
  decider.makeUsable(setOf(policyOf('p')), 1)()
  for (const caller of ['a', 'b', 'c', 'd']) decide({ caller })
  assert.equal(decider.counts().remembered, 3)
  decide({ caller: 'd' })
  assert.equal(engine.decided.length, 4)
  decider.forget()
  decide({ caller: 'd' })
  assert.equal(engine.decided.length, 5)
  decide({ purpose: `urn:${'x'.repeat(5_000)}`, caller: 'x'.repeat(4_000) })
  for (const caller of ['e', 'f', 'g'].map((letter) => letter.repeat(4_500))) decide({ caller })
  assert.equal(decider.counts().remembered, 2)
  decide({ caller: 'h'.repeat(20_000) })
  assert.equal(decider.counts().remembered, 2)
})

test('a forbid that cannot be evaluated denies, whatever else permits, and the operator is told', () => {
  const { decider, decide, failures } = open()
  const forbid = policyOf('no', { effect: 'forbid', when: equals(contextMember('country'), 'US') })
  decider.makeUsable(setOf(policyOf('all'), forbid), 1)()
  const verdict = decide()
  assert.deepEqual(
    [verdict.allowed, !verdict.allowed && verdict.code, verdict.policies],
    [false, 'policy-failed', ['no']],
  )
  assert.deepEqual(
    failures.map(({ policies }) => policies),
    [['no']],
  )
  assert.equal(decide({ country: 'CH' }).allowed, true)
})

test('a fault of the engine or of the relationships denies', () => {
  const broken: PolicyEngine = {
    kind: 'compiled',
    dependencies: () => ({ context: [], entities: false }),
    decide: () => {
      throw new Error('out of order')
    },
  }
  const { decider, decide, failures, relations } = open({ engineOf: () => broken })
  decider.makeUsable(setOf(policyOf('p')), 1)()
  const first = decide()
  relations.now = new Error('the disk is gone')
  const second = decide()
  for (const verdict of [first, second]) {
    assert.deepEqual([verdict.allowed, !verdict.allowed && verdict.code], [false, 'policy-failed'])
    assert.doesNotMatch(JSON.stringify(verdict), /out of order|disk/)
  }
  assert.equal(failures.length, 2)
})

test('a mask over an answer without labels cannot be kept, so the call is denied', () => {
  const { decider, decide, failures } = open()
  decider.makeUsable(setOf(policyOf('m', { annotations: { id: 'm', fields: 'name' } })), 1)()
  const verdict = decide({ labels: [] })
  assert.equal(!verdict.allowed && verdict.code, 'policy-failed')
  assert.match(failures[0]?.reason ?? '', /label them in the product/)
  decider.makeUsable(setOf(policyOf('m', { annotations: { id: 'm', fields: 'name' } }), policyOf('whole')), 2)()
  assert.equal(decide({ labels: [] }).allowed, true)
})

test('advice of forbids is told, each once; annotations that cannot be read make no set', () => {
  const { decider, decide } = open()
  const forbid = (id: string) => policyOf(id, { effect: 'forbid', annotations: { id, advice: 'ask first' } })
  decider.makeUsable(setOf(forbid('a'), forbid('b'), policyOf('p')), 1)()
  const verdict = decide()
  assert.deepEqual(!verdict.allowed && verdict.advice, ['ask first'])
  assert.throws(() => decider.makeUsable(setOf(policyOf('x', { annotations: { id: 'x', fields: '..' } })), 2))
  assert.equal(decide().version, 1)
})

test('the trail holds all that was looked at, and nothing when none is to be kept', () => {
  const { decider } = open()
  decider.makeUsable(setOf(policyOf('p')), 4)()
  const [insert] = (decider.decide(question) as DecidedCall).trail('e1', undefined)
  const kept = JSON.parse(String(insert?.params?.[0])) as Record<string, unknown>
  assert.deepEqual(kept, {
    exchange: 'e1',
    atMs: 5,
    version: 4,
    details: { question, relations: noRelations, outcome: 'allowed', policies: ['p'] },
  })
  const [anonymous] = (decider.decide({ ...question, caller: undefined }) as DecidedCall).trail('e2', undefined)
  assert.match(String(anonymous?.params?.[0]), /"address":"192\.0\.2\.0"/)
  const silent = open({ keepDecisions: 0 })
  assert.deepEqual((silent.decider.decide(question) as DecidedCall).trail('e1', undefined), [])
})

test('a product that was replaced while a call was under way is another product', () => {
  const { decider, decide } = open()
  decider.makeUsable(setOf(policyOf('m', { annotations: { id: 'm', sensitivity: 'confidential' } })), 1)()
  const fieldsOf = (sensitivity: 'confidential' | 'restricted') => {
    const verdict = decide({ labels: [{ path: 'name', domain: 'identity', sensitivity }] })
    return [verdict.allowed, verdict.mask?.fields.length]
  }
  assert.deepEqual(
    [fieldsOf('confidential'), fieldsOf('restricted')],
    [
      [true, 1],
      [false, 0],
    ],
  )
})
