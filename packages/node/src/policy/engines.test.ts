/** What both engines must say, case by case; `engine/differential.test.ts` compares them on made-up ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cedarEngine } from './engine/cedar-engine.ts'
import { compiledEngine } from './engine/compiled-engine.ts'
import type { EngineDecision, PolicyRequest, PreparedPolicy, PreparedSet } from './engine/policy-engine.ts'
import { noRelations, requestOf } from './decisions/policy-request.ts'
import type { PolicyQuestion } from './policy-service.ts'
import { prepareSet } from './sets/prepare-set.ts'

const question: PolicyQuestion = {
  caller: 'did:web:lab.example',
  address: '203.0.113.7',
  action: 'read',
  product: 'athletes',
  productClass: 'partner',
  version: '1.0.0',
  operation: 'list',
  method: 'GET',
  labels: [{ path: 'dose', domain: 'health.medication', sensitivity: 'restricted' }],
  nowMs: Date.UTC(2026, 10, 22, 7, 30),
}

async function setOf(text: string): Promise<PreparedSet> {
  const answer = await prepareSet([{ source: 'a', text }])
  if (!answer.ok) assert.fail(answer.faults.map(({ message }) => message).join('; '))
  return answer.set
}

function decide(set: PreparedSet, request: PolicyRequest): EngineDecision {
  const [compiled, cedar] = [compiledEngine(set).decide(request), cedarEngine(set).decide(request)]
  const comparable = ({ errors, ...rest }: EngineDecision): object => ({
    ...rest,
    failed: errors.map(({ policy }) => policy),
  })
  assert.deepEqual(comparable(compiled), comparable(cedar))
  return compiled
}

test('policies that contradict each other: a forbid wins, and all forbids are the reasons', async () => {
  const set = await setOf(`
    @id("z") forbid(principal, action, resource);
    @id("m") permit(principal, action, resource);
    @id("a") forbid(principal, action in Comity::Action::"use", resource in Comity::Data::"health");`)
  assert.deepEqual(decide(set, requestOf(question, noRelations)), { decision: 'deny', reasons: ['a', 'z'], errors: [] })
})

test('all permits that hold are the reasons, in the order of their ids', async () => {
  const set = await setOf(`
    @id("b") permit(principal, action == Comity::Action::"read", resource);
    @id("c") permit(principal == Comity::Participant::"did:web:other.example", action, resource);
    @id("a") permit(principal in Comity::Group::"labs", action, resource is Comity::Operation in Comity::Product::"athletes");`)
  const request = requestOf(question, { ...noRelations, participantGroups: ['labs'] })
  assert.deepEqual(decide(set, request), { decision: 'allow', reasons: ['a', 'b'], errors: [] })
})

test('nothing that permits is a denial without reasons', async () => {
  const set = await setOf('@id("a") permit(principal, action in Comity::Action::"change", resource);')
  assert.deepEqual(decide(set, requestOf(question, noRelations)), { decision: 'deny', reasons: [], errors: [] })
})

// A good set cannot fail on a good request but by arithmetic; this is what it does then.
test('a forbid whose evaluation fails is told of, since it was skipped', async () => {
  const set = await setOf(`
    @id("all") permit(principal, action, resource);
    @id("sum") forbid(principal, action, resource) when { resource.sensitivity * 9007199254740991 * 9007199254740991 > 0 };`)
  const { decision, errors } = decide(set, requestOf(question, noRelations))
  assert.equal(decision, 'allow')
  assert.deepEqual(errors, [{ policy: 'sum', message: 'integer overflow' }])
})

test('a message about a failed evaluation holds no value of the request', async () => {
  const secret = 'did:web:secret.example'
  const policies = (text: string): PreparedPolicy[] => [
    { id: 'x', effect: 'permit', text, annotations: {}, json: jsonOfUnknownAttribute },
  ]
  const set: PreparedSet = {
    policies: policies('permit(principal, action, resource) when { principal.nothing == 1 };'),
    hash: 'x',
    warnings: [],
  }
  const request = requestOf({ ...question, caller: secret }, noRelations)
  for (const engine of [compiledEngine(set), cedarEngine(set)]) {
    const { errors } = engine.decide(request)
    assert.equal(errors.length, 1)
    assert.doesNotMatch(JSON.stringify(errors), /secret/)
  }
})

const jsonOfUnknownAttribute = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [
    {
      kind: 'when',
      body: { '==': { left: { '.': { left: { Var: 'principal' }, attr: 'nothing' } }, right: { Value: 1 } } },
    },
  ],
}

test('entities that are their own ancestors end no decision', async () => {
  const set = await setOf('@id("a") permit(principal in Comity::Group::"x", action, resource);')
  const request = requestOf(question, noRelations)
  const entities = request.entities.map((entity) => ({ ...entity, parents: [entity.uid, ...entity.parents] }))
  assert.equal(compiledEngine(set).decide({ ...request, entities }).decision, 'deny')
})

test('what can match a request is all that its dependencies are read from', async () => {
  const engine = compiledEngine(
    await setOf(`
      @id("a") permit(principal, action == Comity::Action::"read", resource) when { context.consent && context has purpose };
      @id("b") permit(principal == Comity::Participant::"did:web:x.example", action == Comity::Action::"query", resource);
      @id("c") forbid(principal, action in Comity::Action::"change", resource) when { { now: context }.now.weekday == 6 };
      @id("d") permit(principal in Comity::Group::"g", action == Comity::Action::"append", resource);`),
  )
  const of = (action: string) => engine.dependencies({ type: 'Comity::Action', id: action }, 'Comity::Operation')
  assert.deepEqual(of('read'), { context: ['consent', 'purpose'], entities: false })
  assert.deepEqual(of('query'), { context: [], entities: false })
  assert.deepEqual(of('delete'), { context: ['*'], entities: true })
  assert.deepEqual(of('append'), { context: ['*'], entities: true })
})
