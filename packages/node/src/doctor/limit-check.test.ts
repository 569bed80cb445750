import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DoctorOptions } from './doctor-options.ts'
import { checkLimits, decideStore } from './limit-check.ts'

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

test('warns of clients where replicas share limits: their keys and revocations are not shared', async () => {
  const redis = { url: { env: 'LIMITS_URL' }, prefix: 'comity', timeoutMs: 200, leaseSeconds: 30 }
  const findings = async (store: object | 'memory', clients: number) => {
    const config = { limits: { store, rules: [] }, directory: '/' } as unknown as DoctorOptions['config']
    const running = { ports: { public: 1, local: 2, admin: 3 }, partners: [], addedProducts: 0, clients }
    return checkLimits({ config, environment: { LIMITS_URL: 'redis://127.0.0.1:9' }, running })
  }
  // No server is at the port for what is thrown away (RFC 863).
  assert.deepEqual(
    (await findings({ redis }, 2)).map(({ outcome }) => outcome),
    ['bad', 'caution'],
  )
  assert.match((await findings({ redis }, 2))[1]?.detail ?? '', /^2 clients .* revocations/)
  assert.deepEqual(
    (await findings({ redis }, 0)).map(({ outcome }) => outcome),
    ['bad'],
  )
  assert.deepEqual(await findings('memory', 2), [])
})

test('warns of names in the rules that nobody has, where a running node tells who there is', async () => {
  const rule = { name: 'small', by: ['client'], for: { products: ['added', 'lost'], clients: ['biling'] }, units: 1 }
  const config = { limits: { store: 'memory', rules: [rule] }, products: [], directory: '/' }
  const ports = { public: 1, local: 2, admin: 3 }
  const running = { ports, partners: [], addedProducts: 1, productIds: ['added'], clientIds: ['billing'] }
  const findings = (facts: DoctorOptions['running']) =>
    checkLimits({ config: config as unknown as DoctorOptions['config'], environment: {}, running: facts })
  assert.deepEqual(
    (await findings(running)).map(({ outcome, detail, remedy = '' }) => `${outcome}: ${detail}; ${remedy}`),
    [
      'caution: the rule `small` meets nobody by a name: there is no product `lost`; correct `limits.rules[0].for.products`, or add what it names',
      'caution: the rule `small` meets nobody by a name: there is no client `biling` (did you mean `billing`?); correct `limits.rules[0].for.clients`, or add what it names',
    ],
  )
  assert.deepEqual(await findings(undefined), [])
})
