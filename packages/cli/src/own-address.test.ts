import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { staysOnThisMachine } from './own-address.ts'

test('loopback and the addresses of the own interfaces stay on this machine', () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address))
  for (const host of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    'localhost',
    ...own.filter((text) => !text.includes('%')),
  ])
    assert.ok(staysOnThisMachine(host), host)
})

test('other addresses and all names but one do not', () => {
  for (const host of [
    '203.0.113.9',
    '2001:db8::1',
    '[2001:db8::1]',
    'localhost.example',
    'node',
    '',
    '127.0.0.1.example',
  ])
    assert.ok(!staysOnThisMachine(host), host)
})
