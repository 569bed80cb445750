import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newAdminToken } from '@comity/core/api-keys/admin-token'
import { Problem } from '@comity/core/problems'
import { randomBytes } from 'node:crypto'
import type { ReceivedRequest } from '../http/received-request.ts'
import { createTokenGate, isWeakToken } from './token-gate.ts'

const strong = newAdminToken((size) => randomBytes(size))
const budget = 5

function scene(token: string) {
  const failed = new Map<string, number>()
  const told: boolean[] = []
  const gate = createTokenGate({
    token,
    clock: { now: () => 1_000 },
    failures: {
      spentFor: (address) => ((failed.get(address) ?? 0) < budget ? 0 : 7),
      failed: (address) => void failed.set(address, (failed.get(address) ?? 0) + 1),
    },
    onRefused: ({ isFlood }) => void told.push(isFlood),
  })
  const show = (authorization: string | undefined, remoteAddress = '127.0.0.1'): string => {
    try {
      gate({ remoteAddress, header: () => authorization } as unknown as ReceivedRequest)
      return 'admitted'
    } catch (error) {
      assert.ok(error instanceof Problem)
      const { retryAfterSeconds } = error.members
      return retryAfterSeconds === undefined ? error.code : `${error.code} ${String(retryAfterSeconds)}`
    }
  }
  return { show, told }
}

test('only the token is admitted, and never an empty one', () => {
  const { show } = scene(strong)
  assert.equal(show(`Bearer ${strong}`), 'admitted')
  assert.equal(show(`bearer ${strong}`), 'admitted')
  for (const wrong of [undefined, 'Bearer', 'Bearer ', `Basic ${strong}`, `Bearer ${strong}x`])
    assert.equal(show(wrong), 'unauthorized', wrong)
  for (const given of ['Bearer ', 'Bearer', undefined]) assert.equal(scene('').show(given), 'unauthorized')
})

test('after too many wrong tokens an address is told to wait, and other addresses are not', () => {
  const { show, told } = scene(strong)
  for (let tried = 0; tried < budget; tried++) assert.equal(show('Bearer wrong'), 'unauthorized')
  assert.equal(show('Bearer wrong'), 'rate-limited 7')
  assert.equal(show('Bearer wrong', '192.0.2.1'), 'unauthorized')
  assert.deepEqual(told, [...Array.from({ length: budget }, () => false), true, false])
})

test('nobody keeps the operator out by failing', () => {
  const { show } = scene(strong)
  for (let tried = 0; tried < budget * 2; tried++) show('Bearer wrong')
  assert.equal(show(`Bearer ${strong}`), 'admitted')
})

test('of a token that can be guessed nothing more is learnt once the budget is spent', () => {
  const { show } = scene('secret')
  assert.equal(show('Bearer secret'), 'admitted')
  for (let tried = 0; tried < budget; tried++) show(`Bearer guess-${tried}`)
  assert.equal(show('Bearer secret'), 'rate-limited 7')
  assert.equal(show('Bearer secret', '192.0.2.1'), 'admitted')
})

test('who shows no token at all is told so, and spends nothing', () => {
  const { show, told } = scene(strong)
  for (let tried = 0; tried < budget * 2; tried++) assert.equal(show(undefined), 'unauthorized')
  assert.equal(told.length, budget * 2)
})

test('what `comity init` writes, and any other text of 32 characters, is long enough', () => {
  assert.deepEqual([strong, 'x'.repeat(32), ''].map(isWeakToken), [false, false, false])
  assert.deepEqual(['secret', 'x'.repeat(31)].map(isWeakToken), [true, true])
})
