import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { adminTokenPattern, isAdminToken, newAdminToken } from './admin-token.ts'
import { parseApiKey } from './api-key.ts'

test('an admin token is known by its shape and its checksum, and is no API key', () => {
  const token = newAdminToken((count) => new Uint8Array(randomBytes(count)))
  assert.match(token, new RegExp(`^${adminTokenPattern}$`))
  assert.ok(isAdminToken(token))
  assert.throws(() => parseApiKey(token), { code: 'key-malformed' })
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'a' ? 'b' : 'a'
    const mistyped = token.slice(0, at) + other + token.slice(at + 1)
    assert.ok(!isAdminToken(mistyped), mistyped)
    assert.ok(!isAdminToken(token.slice(0, at)))
  }
  assert.ok(!isAdminToken(`${token}a`))
})
