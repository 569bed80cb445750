import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSalts } from './salts.ts'

test('salts are 32 bytes, each drawn once and never handed out again', () => {
  const nextSalt = createSalts(randomBytes)
  const salts = Array.from({ length: 1_000 }, nextSalt)
  assert.ok(salts.every(({ length }) => length === 32))
  assert.equal(new Set(salts.map((salt) => Buffer.from(salt).toString('hex'))).size, 1_000)
})
