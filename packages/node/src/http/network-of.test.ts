import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'

test('of an address its network is left, in both families, and nothing of what is none', () => {
  for (const [address, network] of [
    ['192.0.2.17', '192.0.2.0'],
    ['::ffff:192.0.2.17', '192.0.2.0'],
    ['2001:db8:7:1::5', '2001:db8:7::'],
    ['fe80::1%eth0', 'fe80::'],
    ['', '0.0.0.0'],
    ['nowhere', '0.0.0.0'],
  ] as const) {
    assert.equal(networkOf(address), network, address)
  }
})
