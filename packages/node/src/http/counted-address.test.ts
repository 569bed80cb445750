import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedAddress } from './counted-address.ts'

test('counts IPv4 by host, also inside IPv6, and IPv6 by network, each time the same', () => {
  const counted = [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2/64'],
    ['2001:db8:1:2::9', '8193:3512:1:2/64'],
    ['2001:db8:1:3::9', '8193:3512:1:3/64'],
    ['', ''],
    ['no:address', 'no:address'],
  ] as const
  for (let again = 0; again < 2; again++)
    for (const [address, expected] of counted) assert.equal(countedAddress(address), expected)
})

test('tells addresses apart however many it has read', () => {
  for (let host = 0; host < 2_500; host++)
    assert.equal(countedAddress(`::ffff:10.0.${host >> 8}.${host & 255}`), `10.0.${host >> 8}.${host & 255}`)
  assert.equal(countedAddress('::ffff:10.0.0.0'), '10.0.0.0')
})
