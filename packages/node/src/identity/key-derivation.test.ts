import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isKeyDerivation, newDerivation } from './key-derivation.ts'

const scrypt = newDerivation({ kind: 'passphrase', passphrase: 'correct horse battery' }, randomBytes)
const hkdf = newDerivation({ kind: 'key-file', bytes: new Uint8Array(32) }, randomBytes)

test('a derivation is as costly as it must be, and no costlier than it can be', () => {
  assert.ok(isKeyDerivation(scrypt) && isKeyDerivation(hkdf))
  for (const N of [65_536, 131_072]) assert.ok(isKeyDerivation({ ...scrypt, N, p: 4 }))
  for (const changed of [
    ...[1024, 32_769, 262_144, '32768', undefined].map((N) => ({ ...scrypt, N })),
    ...[7, 9, undefined].map((r) => ({ ...scrypt, r })),
    ...[0, 5, 1.5, undefined].map((p) => ({ ...scrypt, p })),
    { ...scrypt, more: 1 },
    { ...hkdf, N: 32_768 },
    { ...hkdf, name: 'pbkdf2' },
    { ...hkdf, salt: 'short' },
    { ...hkdf, salt: undefined },
    null,
    'scrypt',
    [],
  ]) {
    assert.equal(isKeyDerivation(changed), false, JSON.stringify(changed))
  }
})
