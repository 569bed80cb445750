import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideStore } from './limit-check.ts'

const sound = { redis_version: '7.0.15', redis_mode: 'standalone', maxmemory_policy: 'noeviction', aof_enabled: '1' }
const outcomes = (changes: object, hasQuotas = true) =>
  decideStore(new Map(Object.entries({ ...sound, ...changes })), hasQuotas).map(({ outcome }) => outcome)

test('a server that keeps what it is told is good, and named', () => {
  assert.deepEqual(outcomes({}), ['good'])
  assert.match(decideStore(new Map(Object.entries(sound)), true)[0]?.detail ?? '', /Redis 7\.0\.15/)
  const valkey = new Map(Object.entries({ ...sound, valkey_version: '8.1.0' }))
  assert.match(decideStore(valkey, true)[0]?.detail ?? '', /Valkey 8\.1\.0/)
})

test('warns of a server that forgets: by eviction, or in a crash where there are quotas', () => {
  assert.deepEqual(outcomes({ maxmemory_policy: 'allkeys-lru' }), ['good', 'caution'])
  assert.deepEqual(outcomes({ aof_enabled: '0' }), ['good', 'caution'])
  assert.deepEqual(outcomes({ aof_enabled: '0' }, false), ['good'])
  assert.deepEqual(outcomes({ redis_mode: 'cluster' }), ['good', 'caution'])
})
