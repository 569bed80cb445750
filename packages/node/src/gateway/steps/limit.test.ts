/** Who is counted, and which operation is charged when a call comes in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InboundCall } from '../inbound-call.ts'
import type { OfferedProduct } from '../ports.ts'
import { callerOf, callToLimit } from './limit.ts'

const call = (changes: object) => ({ request: { remoteAddress: '2001:db8:1:2::3' }, ...changes }) as InboundCall
const caller = { did: 'did:key:z6MkNobody', keyid: 'did:key:z6MkNobody#k' }

test('who makes itself a DID for every call is counted by the address, at every class of product', () => {
  const { caller: counted, key, credential } = callerOf(call({ caller }), undefined)
  assert.deepEqual(
    { counted, key, credential },
    { counted: 'ip:8193:3512:1:2/64', key: undefined, credential: 'signature' },
  )
  assert.equal(callerOf(call({}), undefined).caller, counted)
})

test('a partner is counted by its DID', () => {
  const { caller: counted, key } = callerOf(call({ caller }), { alias: 'lab' } as Parameters<typeof callerOf>[1])
  assert.deepEqual({ counted, key }, { counted: caller.did, key: caller.keyid })
})

test('a reference is not charged as whatever operation its address would match', () => {
  const asked: string[] = []
  const product = {
    operationAt(_method: string, path: string) {
      asked.push(path)
      return { id: 'catch-all', units: 1 }
    },
  } as unknown as OfferedProduct
  const operationOf = (path: string) =>
    callToLimit(call({ request: { method: 'GET', path, remoteAddress: '192.0.2.1' } }), product, {
      partnerOf: () => undefined,
    }).operation()
  assert.equal(operationOf(`/x/readings/~references/${'a'.repeat(43)}`), undefined)
  assert.equal(operationOf('/x/readings/~references/a/b')?.id, 'catch-all')
  assert.equal(operationOf('/x/readings/a/b')?.id, 'catch-all')
  assert.deepEqual(asked, ['/~references/a/b', '/a/b'])
})
