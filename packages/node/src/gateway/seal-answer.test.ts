import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InboundCall } from './inbound-call.ts'
import { sealAnswer } from './seal-answer.ts'

const never = {
  seal: () => {
    throw new Error('there is no content to seal')
  },
}
const headers = ['etag', '"of what is sealed"', 'content-type', 'application/json', 'cache-control', 'no-store']
const answered = (method: string, status: number) => {
  const call = { request: { method }, sealing: { target: { bnd: 'x' } } } as unknown as InboundCall
  return sealAnswer(call, { status, headers, body: new Uint8Array() }, never).headers
}

test('an answer without content tells nothing of what is sealed', () => {
  assert.deepEqual(answered('HEAD', 200), ['cache-control', 'no-store'])
  assert.deepEqual(answered('DELETE', 204), ['cache-control', 'no-store'])
})

test('304 gives back the tag that the caller named', () => {
  assert.deepEqual(answered('GET', 304), ['cache-control', 'no-store', 'etag', '"of what is sealed"'])
})
