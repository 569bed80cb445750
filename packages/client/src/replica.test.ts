import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ComityError } from './comity-error.ts'
import { choiceFor, replicaField, replicaNoteOf } from './replica.ts'

const note = (fields: Record<string, string>) => replicaNoteOf(new Headers(fields))

test('writes what the node reads', () => {
  assert.deepEqual(
    ['prefer', 'only', 'refresh', 'off'].map((mode) => replicaField(mode as 'prefer')),
    ['prefer', 'only', 'refresh', undefined],
  )
  assert.equal(replicaField({ mode: 'prefer', maxAgeSeconds: 60 }), 'prefer;max-age=60')
  assert.equal(replicaField({ mode: 'only', maxAgeSeconds: 0 }), 'only;max-age=0')
})

test('refuses what the node could not read', () => {
  for (const choice of ['always', '', { mode: 'prefer', maxAgeSeconds: 1.5 }, { mode: 'prefer', maxAgeSeconds: -1 }]) {
    assert.throws(
      () => replicaField(choice as never),
      (error) => error instanceof ComityError && error.code === 'invalid-call',
    )
  }
})

test('a choice for all calls is for those with GET; the nearer one counts', () => {
  assert.equal(choiceFor('GET', { own: undefined, common: 'prefer' }), 'prefer')
  assert.equal(choiceFor('GET', { own: 'off', common: 'prefer' }), 'off')
  assert.equal(choiceFor('POST', { own: undefined, common: 'prefer' }), undefined)
  assert.equal(choiceFor('HEAD', { own: 'off', common: 'prefer' }), undefined)
  assert.throws(() => choiceFor('POST', { own: 'prefer', common: undefined }), ComityError)
})

test('reads what the node writes', () => {
  assert.deepEqual(note({ 'comity-replica': 'hit;id="7J1k";exchange="0190"', age: '42' }), {
    how: 'hit',
    id: '7J1k',
    broughtBy: '0190',
    ageSeconds: 42,
    reason: undefined,
  })
  assert.equal(note({ 'comity-replica': 'none;reason="too-large"' })?.reason, 'too-large')
  for (const text of ['', 'hits', 'perhaps;id="a"']) assert.equal(note({ 'comity-replica': text }), undefined)
})
