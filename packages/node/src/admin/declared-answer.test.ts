import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { asDeclared } from './declared-answer.ts'
import { defineRoute } from './route.ts'

const facts = { method: 'GET', path: '/v1/things', tag: 'node', summary: 'Things', answer: () => [] } as const
const own = defineRoute({ ...facts, problems: ['partner-unknown'] })
const asking = defineRoute({ ...facts, asksPartner: true })

test('a problem that the route declares is answered as it is', () => {
  for (const code of ['partner-unknown', 'unauthorized', 'storage-failed'] as const) {
    const problem = new Problem(code, 'as it is')
    assert.equal(asDeclared(own, problem), problem)
  }
  const unreachable = new Problem('partner-unreachable', 'nobody is there')
  assert.equal(asDeclared(asking, unreachable), unreachable)
})

test('an undeclared problem is a fault of the node, and of the partner where one is asked', () => {
  const problem = new Problem('consent-unknown', 'a word of somebody else')
  for (const [route, code] of [
    [own, 'internal-error'],
    [asking, 'answer-unusable'],
  ] as const) {
    const told = asDeclared(route, problem)
    assert.deepEqual([told.code, told.cause, told.message.includes('somebody')], [code, problem, false])
  }
})

test('an error that is no problem is the node’s own, whoever is asked', () => {
  const error = new TypeError('x is undefined')
  for (const route of [own, asking]) {
    const told = asDeclared(route, error)
    assert.deepEqual([told.code, told.cause], ['internal-error', error])
  }
})
