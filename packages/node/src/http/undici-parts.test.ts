import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, Pool } from './undici-parts.ts'

test('are the classes that undici itself exports', async () => {
  const undici = await import('undici')
  assert.equal(Pool, undici.Pool)
  assert.equal(Client, undici.Client)
})
