import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../config/config.ts'
import { createLimits } from './limits.ts'

const rate = { requests: 3, perSeconds: 60 }
const config = { limits: { perAddress: rate, failures: rate } } as unknown as Config
const limits = () => createLimits(config, () => undefined)

test('a key that fails too often from one address is refused there, and nowhere else', () => {
  const tested = limits()
  for (let failure = 0; failure < 3; failure++) tested.penalise('192.0.2.1', 'did:web:a#1', 1_000)
  assert.equal(tested.isPenalised('192.0.2.1', 'did:web:a#1', 1_000), true)
  assert.equal(tested.isPenalised('192.0.2.1', 'did:web:b#1', 1_000), false)
  assert.equal(tested.isPenalised('192.0.2.2', 'did:web:a#1', 1_000), false)
  assert.equal(tested.isPenalised('192.0.2.1', 'did:web:a#1', 62_000), false)
})

test('an address that makes up a key for every failure is refused with all of them', () => {
  const tested = limits()
  for (let failure = 0; failure < 30; failure++) tested.penalise('192.0.2.1', `did:web:a#${failure}`, 1_000)
  assert.equal(tested.isPenalised('192.0.2.1', 'did:web:fresh#1', 1_000), true)
  assert.equal(tested.isPenalised('192.0.2.2', 'did:web:fresh#1', 1_000), false)
})
