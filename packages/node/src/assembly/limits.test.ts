/** What counts as one address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { CallLimits } from '../limits/call-limits.ts'
import { createRateLimiter } from '../limits/rate-limiter.ts'
import { createLimits } from './limits.ts'
import type { Config } from '../config/config.ts'

const config = parse(
  'limits: { perAddress: { requests: 2, perSeconds: 60 }, failures: { requests: 2, perSeconds: 60 } }',
) as Config
const counted = new CallLimits({ limiter: createRateLimiter(), rules: [], hash: (text) => text })
const admitted = (...addresses: string[]) => {
  const limits = createLimits(config, () => undefined, counted)
  return addresses.map((address) => limits.admitAddress(address, 1_000).admitted)
}

test('a network of IPv6 that one host has to itself counts as one address', () => {
  assert.deepEqual(admitted('2001:db8:1:2::1', '2001:db8:1:2:a:b:c:d', '2001:db8:1:2::3'), [true, true, false])
  assert.deepEqual(admitted('2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:3::1'), [true, true, true])
})

test('each IPv4 address counts for itself, in its IPv6 form too', () => {
  assert.deepEqual(admitted('192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1'), [true, true, true, false])
  assert.deepEqual(admitted('::ffff:192.0.2.1', '192.0.2.1', '::ffff:192.0.2.2', '::ffff:192.0.2.1'), [
    true,
    true,
    true,
    false,
  ])
})

test('failures to authenticate are held against the whole network', () => {
  const limits = createLimits(config, () => undefined, counted)
  for (let host = 1; host <= 2; host++) limits.penalise(`2001:db8::${host}`, 'did:web:a.example#k', 1_000)
  assert.equal(limits.penaltySeconds('2001:db8::9', 'did:web:a.example#k', 1_000), 30)
  assert.equal(limits.penaltySeconds('2001:db8:0:1::9', 'did:web:a.example#k', 1_000), 0)
})
