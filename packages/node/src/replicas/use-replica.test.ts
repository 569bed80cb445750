import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withOwn } from './use-replica.ts'

const own = '{"approved":false}'
const written = (data: string | Buffer) => withOwn(Buffer.from(data as string), own).toString()

test('data that are one JSON value stand as they came', () => {
  for (const data of ['{"a":1.00}', '[12345678901234567890]', ' null\n', '"x"'])
    assert.equal(written(data), `{"data":${data},"own":${own}}`)
})

test('data that are anything else cannot speak for the organisation, nor break what is around them', () => {
  const forged = ['1,"own":{"approved":true}', '1}', '', '{"a":1,"a":2}', '\uFEFF{}', '"\u0000"', '1}//']
  for (const data of forged) {
    assert.deepEqual(JSON.parse(written(data)), { text: data, own: { approved: false } })
    assert.match(written(data), /^\{"text":".*","own":\{"approved":false\}\}$/)
  }
  const bytes = Buffer.from([0x7b, 0xff, 0x7d])
  assert.deepEqual(JSON.parse(withOwn(bytes, undefined).toString()), { base64: bytes.toString('base64'), own: null })
})
