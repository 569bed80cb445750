import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressCheck, canonicalNetwork, isNetwork } from './key-networks.ts'

test('takes networks in their usual spelling only', () => {
  for (const good of ['192.0.2.0/24', '0.0.0.0/0', '2001:db8::/32', '::/0', '192.0.2.1/32', '::ffff:192.0.2.0/120'])
    assert.equal(isNetwork(good), true, good)
  for (const bad of [
    '192.0.2',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/08',
    '192.0.2.0/24/24',
    '0300.0.2.0/24',
    '192.0.2/24',
    '2001:db8::/129',
    'fe80::%eth0/64',
    'example.org/24',
    '/24',
    '192.0.2.0/',
  ])
    assert.equal(isNetwork(bad), false, bad)
})

test('an address alone is a network of one', () => {
  assert.ok(isNetwork('192.0.2.7') && isNetwork('2001:db8::7'))
  assert.deepEqual(['192.0.2.7', '2001:db8::7'].map(canonicalNetwork), ['192.0.2.7/32', '2001:db8::7/128'])
  assert.deepEqual(['192.0.2.7', '192.0.2.8'].map(addressCheck(['192.0.2.7/32'])), [true, false])
})

test('keeps the network’s own address, and IPv4 inside IPv6 as IPv4', () => {
  assert.equal(canonicalNetwork('192.0.2.17/24'), '192.0.2.0/24')
  assert.equal(canonicalNetwork('::ffff:192.0.2.17/120'), '192.0.2.0/24')
  assert.equal(canonicalNetwork('2001:db8:1:2::5/48'), '2001:db8:1::/48')
  assert.equal(canonicalNetwork('0.0.0.0/0'), '0.0.0.0/0')
})

test('an address is within its network in every spelling, and one bit beyond it is not', () => {
  const check = addressCheck(['192.0.2.128/25', '2001:db8::/47'])
  for (const inside of ['192.0.2.128', '192.0.2.255', '::ffff:192.0.2.200', '2001:db8:1:ffff::1', '2001:DB8::1'])
    assert.equal(check(inside), true, inside)
  for (const outside of ['192.0.2.127', '192.0.3.128', '::ffff:192.0.2.1', '2001:db8:2::', '::1', '', 'x', '192.0.2'])
    assert.equal(check(outside), false, outside)
  assert.equal(check('192.0.2.128'), true, 'again')
})

test('an interface’s name belongs to no address', () => {
  assert.equal(addressCheck(['fe80::/10'])('fe80::1%eth0'), true)
})

test('without networks every address will do', () => {
  assert.equal(addressCheck([])('203.0.113.9'), true)
})

test('one network for IPv4 lets no IPv6 in, and the other way round', () => {
  assert.equal(addressCheck(['0.0.0.0/0'])('2001:db8::1'), false)
  assert.equal(addressCheck(['::/0'])('192.0.2.1'), false)
})

test('remembers no more addresses than it should, and judges all the same', () => {
  const check = addressCheck(['10.0.0.0/16'])
  for (let index = 0; index < 1_000; index++) {
    assert.equal(check(`10.0.${index >> 8}.${index & 255}`), true)
    assert.equal(check(`10.1.${index >> 8}.${index & 255}`), false)
  }
})
