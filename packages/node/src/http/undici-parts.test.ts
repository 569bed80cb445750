import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, Pool } from './undici-parts.ts'

test('can be asked before anything has loaded the main module', () => {
  assert.equal(typeof Client.prototype.request, 'function')
})

test('are the classes that undici itself exports', async () => {
  const undici = await import('undici')
  assert.equal(Pool, undici.Pool)
  assert.equal(Client, undici.Client)
})
