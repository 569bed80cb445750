import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientEventTypes, isClientEvent, webhookAdded, webhookTest } from './client-events.ts'

const message = (type: string, data: object = { client: 'billing' }) => ({
  id: 'msg_1',
  type,
  timestamp: '2026-01-05T00:00:00.000Z',
  data,
})

test('a message to a client is one of every type that there is', () => {
  for (const type of [webhookAdded, webhookTest, ...clientEventTypes])
    assert.equal(isClientEvent(message(type)), true, type)
})

test('a type that is not known, and a message that names no client, are none', () => {
  for (const type of ['consent.requested', 'quota.requested', 'key.', '', 'toString'])
    assert.equal(isClientEvent(message(type)), false, type)
  for (const data of [{}, { client: 7 }, [], { key: 'abcdefgh' }])
    assert.equal(isClientEvent(message('key.revoked', data)), false)
})

test('the guard narrows the type, so that members are read without a cast', () => {
  const arrived = message('key.rotating', { client: 'billing', key: 'abcdefgh', renewal: 'https://node.example/keys' })
  assert.ok(isClientEvent(arrived) && arrived.type === 'key.rotating')
  const renewal: string | undefined = arrived.data.renewal
  assert.equal(renewal, 'https://node.example/keys')
})
