import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNamedBy, shownAddress } from './shown-address.ts'

const secretPath = 'https://hooks.example/services/T0ABCDEF12345678/in?key=planted'

test('an address is shown with its path, without its query, and without what may be a secret in the path', () => {
  for (const [url, shown] of [
    ['https://hooks.example', 'https://hooks.example'],
    ['https://hooks.example/?key=planted', 'https://hooks.example'],
    ['https://hooks.example:8443/comity/billing?key=planted', 'https://hooks.example:8443/comity/billing'],
    [secretPath, 'https://hooks.example/services/T0AB…/in'],
    [`http://127.0.0.1:9/${'p'.repeat(32)}`, 'http://127.0.0.1:9/pppp…'],
    ['https://hooks.example/comity-notifications', 'https://hooks.example/comity-notifications'],
  ] as const)
    assert.equal(shownAddress(url), shown)
})

test('an address is named by its origin, its path, or as it is shown, and by nothing else', () => {
  for (const name of ['https://hooks.example', 'https://hooks.example/', secretPath, shownAddress(secretPath)])
    assert.equal(isNamedBy(secretPath, name), true, name)
  for (const name of ['https://hooks.example/services', 'https://other.example/', 'http://hooks.example/'])
    assert.equal(isNamedBy(secretPath, name), false, name)
  assert.equal(isNamedBy('https://hooks.example/b', 'https://hooks.example/a'), false, 'two on one host are two')
})
