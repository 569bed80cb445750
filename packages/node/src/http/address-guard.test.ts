import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAddressGuard } from './address-guard.ts'

const strict = createAddressGuard({ allowPrivateAddresses: [] })

const forbidden = {
  'this network': ['0.0.0.0', '0.1.2.3'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1'],
  'link-local': ['169.254.169.254', 'fe80::1', 'fe80::1%eth0'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'broadcast and reserved': ['255.255.255.255', '240.0.0.1', '192.0.0.1', '198.18.0.1', '4000::1', '8000::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  unspecified: ['::'],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1'],
  'IPv4-compatible': ['::127.0.0.1', '::8.8.8.8'],
  '6to4 and Teredo': ['2002:7f00:1::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b:1::a00:1'],
  'site-local and discard': ['fec0::1', '100::1'],
  'text that is no address': [
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '017700000001',
    '2130706433',
    '[::1]',
    '1.2.3.4.5',
  ],
}

for (const [kind, addresses] of Object.entries(forbidden)) {
  test(`refuses ${kind}`, () => {
    for (const address of addresses) assert.equal(strict.allowsAddress(address), false, address)
  })
}

test('allows public addresses', () => {
  for (const address of [
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
  ]) {
    assert.equal(strict.allowsAddress(address), true, address)
  }
})

test('allows what the configuration names, and nothing beside it', () => {
  const guard = createAddressGuard({ allowPrivateAddresses: ['127.0.0.0/8', '10.1.0.0/16', '::1/128'] })
  for (const address of ['127.0.0.1', '10.1.255.1', '::1']) assert.equal(guard.allowsAddress(address), true, address)
  for (const address of ['10.2.0.1', '::2', '::ffff:127.0.0.1']) {
    assert.equal(guard.allowsAddress(address), false, address)
  }
})

test('refuses a network that is not CIDR notation', () => {
  for (const network of ['10.0.0.0', '10.0.0.0/33', 'localhost/8', '']) {
    assert.throws(() => createAddressGuard({ allowPrivateAddresses: [network] }), { code: 'config-invalid' }, network)
  }
})

test('allows 443 and ports that are not well known, or exactly those that are listed', () => {
  assert.deepEqual([443, 8443, 1024, 80, 22, 25, 1].map(strict.allowsPort), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ])
  const listed = createAddressGuard({ allowPrivateAddresses: [], ports: [8443] })
  assert.deepEqual([443, 8443].map(listed.allowsPort), [false, true])
})

test('decides about any text without throwing, and never allows an address of 10/8', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
      assert.equal(typeof strict.allowsAddress(text), 'boolean')
    }),
  )
  fc.assert(
    fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)), (octets) => {
      assert.equal(strict.allowsAddress(`10.${octets.join('.')}`), false)
    }),
  )
})
