import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../problems.ts'
import { formatApiKey } from './api-key.ts'
import { keyIdOf, withoutKeySecrets } from './named-key.ts'

const secret = 'q'.repeat(32)
const key = formatApiKey({ environment: 'live', id: '7Qm2xK9a', secret })

function codeOf(text: string): string {
  try {
    return keyIdOf(text)
  } catch (error) {
    assert.ok(error instanceof Problem)
    assert.ok(!error.message.includes('qqqq'))
    return error.code
  }
}

test('a key is named by its id, its name and by itself, with the line end that a terminal pastes', () => {
  for (const text of ['7Qm2xK9a', 'cmty_live_7Qm2xK9a', key, `${key}\n`]) assert.equal(keyIdOf(text), '7Qm2xK9a')
})

test('a key that was cut off or mistyped names none, and is not repeated', () => {
  for (const text of [key.slice(0, -1), `${key.slice(0, -1)}_`, `${key}x`, key.replace('7Qm', '8Qm'), 'cmty_live_7Qm'])
    assert.equal(codeOf(text), 'key-malformed')
  assert.equal(codeOf('nobody00'), 'nobody00')
  assert.equal(codeOf(`Bearer ${key}`), 'Bearer cmty_live_7Qm2xK9a_…')
})

test('no secret is left in a text, be the key whole or a part', () => {
  assert.equal(withoutKeySecrets(`a ${key}, ${key.slice(0, 30)}!`), 'a cmty_live_7Qm2xK9a_…, cmty_live_7Qm2xK9a_…!')
  assert.equal(withoutKeySecrets('cmty_live_7Qm2xK9a'), 'cmty_live_7Qm2xK9a')
})

test('nor one of an admin token or of a webhook', () => {
  assert.equal(withoutKeySecrets(`a cmty_admin_${'q'.repeat(49)}.`), 'a cmty_admin_….')
  assert.equal(withoutKeySecrets(`whsec_${'q+/'.repeat(14)}A= and whsk_${'q'.repeat(43)}=`), 'whsec_… and whsk_…')
  assert.equal(withoutKeySecrets('cmty_admin and whsec_'), 'cmty_admin and whsec_')
})
