import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNonceStore } from './nonce-store.ts'

const seen = (nonce: string, expiresSeconds = 1_060, keyid = 'did:web:a#1') => ({ nonce, keyid, expiresSeconds })

test('accepts a nonce once and refuses it the second time', () => {
  const store = createNonceStore(10, 30)
  assert.equal(store.remember(seen('n1'), 1_000_000), 'fresh')
  assert.equal(store.remember(seen('n1'), 1_059_000), 'replayed')
})

test('keeps the nonces of different keys apart', () => {
  const store = createNonceStore(10, 30)
  assert.equal(store.remember(seen('n1'), 1_000_000), 'fresh')
  assert.equal(store.remember(seen('n1', 1_060, 'did:web:b#1'), 1_000_000), 'fresh')
})

test('still knows a nonce as long as skew could make it acceptable', () => {
  const store = createNonceStore(10, 30)
  store.remember(seen('n1'), 1_000_000)
  assert.equal(store.remember(seen('n1'), 1_090_000), 'replayed')
})

test('refuses instead of forgetting when it is full, and takes again when entries expire', () => {
  const store = createNonceStore(2, 30)
  store.remember(seen('n1'), 1_000_000)
  store.remember(seen('n2'), 1_000_000)
  assert.equal(store.remember(seen('n3'), 1_000_000), 'full')
  assert.equal(store.remember(seen('n1'), 1_000_000), 'replayed')
  assert.equal(store.remember(seen('n3', 1_160), 1_091_000), 'fresh')
  assert.equal(store.size, 1)
})

test('takes nothing that it may have forgotten when the clock went ahead and was set back', () => {
  const store = createNonceStore(10, 30)
  store.remember(seen('n1'), 1_000_000)
  assert.equal(store.remember(seen('n2', 5_000), 4_990_000), 'fresh')
  assert.equal(store.remember(seen('n1'), 1_001_000), 'forgotten')
  assert.equal(store.remember(seen('n3', 1_059), 1_001_000), 'forgotten')
  assert.equal(store.remember(seen('n3', 1_061), 1_001_000), 'fresh')
})
