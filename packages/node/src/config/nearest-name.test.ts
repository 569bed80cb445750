import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestName } from './nearest-name.ts'

const names = ['participant', 'listen', 'products', 'partners', 'timeoutMs', 'did']

test('suggests the name that a slip of the hand hides', () => {
  assert.equal(nearestName('partcipant', names), 'participant')
  assert.equal(nearestName('ddi', names), 'did')
  assert.equal(nearestName('product', names), 'products')
  assert.equal(nearestName('timeout_ms', names), 'timeoutMs')
  assert.equal(nearestName('Listen', names), 'listen')
})

test('suggests nothing for a name that is far from all', () => {
  assert.equal(nearestName('colour', names), undefined)
  assert.equal(nearestName('', []), undefined)
})
