import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noRelations, requestOf } from './policy-request.ts'
import type { PolicyQuestion } from '../policy-service.ts'

const question: PolicyQuestion = {
  caller: 'did:web:lab.example',
  address: '203.0.113.7',
  action: 'read',
  product: 'athletes',
  productClass: 'personal',
  version: '2.1.0',
  operation: 'getAthlete',
  method: 'GET',
  labels: [
    { path: 'name', domain: 'identity', sensitivity: 'internal' },
    { path: 'dose', domain: 'health.medication', sensitivity: 'restricted' },
  ],
  nowMs: Date.UTC(2026, 10, 22, 7, 30),
}

function entity(request: ReturnType<typeof requestOf>, type: string) {
  return request.entities.find(({ uid }) => uid.type === `Comity::${type}`)
}

test('a participant that names nobody is the principal itself', () => {
  const { principal, action, entities } = requestOf({ ...question, country: 'SE' }, noRelations)
  assert.deepEqual(principal, { type: 'Comity::Participant', id: 'did:web:lab.example' })
  assert.deepEqual(action, { type: 'Comity::Action', id: 'read' })
  assert.deepEqual(entities[0]?.attrs, { did: 'did:web:lab.example', country: 'SE' })
})

test('who does not say who it is, is the anonymous participant, whatever actor it names', () => {
  const actor = { type: 'human', id: 'nurse-17' } as const
  const { principal } = requestOf({ ...question, caller: undefined, actor }, noRelations)
  assert.deepEqual(principal, { type: 'Comity::Participant', id: 'anonymous' })
})

test('an actor is in its participant and in the groups of both', () => {
  const actor = { type: 'human', id: 'nurse-17', assurance: 'high' } as const
  const relations = { ...noRelations, participantGroups: ['hospitals'], actorGroups: ['nurses', 'hospitals'] }
  const request = requestOf({ ...question, actor }, relations)
  assert.deepEqual(request.principal, { type: 'Comity::Human', id: 'did:web:lab.example/nurse-17' })
  const human = entity(request, 'Human')
  assert.deepEqual(
    human?.parents.map(({ id }) => id),
    ['did:web:lab.example', 'hospitals', 'nurses'],
  )
  assert.equal(human?.attrs['assurance'], 'high')
  assert.equal(request.context['assurance'], 'high')
  assert.deepEqual(
    entity(request, 'Participant')?.parents.map(({ id }) => id),
    ['hospitals'],
  )
})

test('an operation is in its product, in the groups of both and in every domain asked for with those above', () => {
  const relations = { ...noRelations, productGroups: ['registers'], operationGroups: ['bulk'] }
  const operation = entity(requestOf(question, relations), 'Operation')
  assert.deepEqual(
    operation?.parents.map(({ type, id }) => `${type}::${id}`),
    [
      'Comity::Product::athletes',
      'Comity::Group::registers',
      'Comity::Group::bulk',
      'Comity::Data::identity',
      'Comity::Data::health',
      'Comity::Data::health.medication',
    ],
  )
  assert.equal(operation?.attrs['sensitivity'], 3)
})

test('a product without labels counts by its class', () => {
  for (const [productClass, level] of [
    ['public', 0],
    ['partner', 1],
    ['personal', 2],
  ] as const) {
    const operation = entity(requestOf({ ...question, productClass, labels: [] }, noRelations), 'Operation')
    assert.equal(operation?.attrs['sensitivity'], level)
  }
})

test('Sunday is the seventh day, Monday the first, in UTC', () => {
  const weekday = (nowMs: number) => requestOf({ ...question, nowMs }, noRelations).context['weekday']
  assert.equal(weekday(Date.UTC(2026, 10, 22, 23, 59)), 7)
  assert.equal(weekday(Date.UTC(2026, 10, 23, 0, 0)), 1)
})

test('an IPv4 address that came by an IPv6 socket is IPv4, and a zone is left out', () => {
  const address = (text: string) => requestOf({ ...question, address: text }, noRelations).context['address']
  assert.deepEqual(address('::ffff:192.0.2.9'), { __extn: { fn: 'ip', arg: '192.0.2.9' } })
  assert.deepEqual(address('fe80::1%eth0'), { __extn: { fn: 'ip', arg: 'fe80::1' } })
})

test('a member without a value is not in the context', () => {
  const { context } = requestOf({ ...question, purpose: 'https://w3id.org/dpv#Research' }, noRelations)
  assert.deepEqual(Object.keys(context).toSorted(), [
    'address',
    'consent',
    'delegated',
    'fields',
    'now',
    'purpose',
    'relations',
    'weekday',
  ])
})
