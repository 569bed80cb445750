/** Who is counted, and which operation is charged when a call comes in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InboundCall } from '../inbound-call.ts'
import { callerOf } from './limit.ts'

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
