/** The validator of what leaves. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InboundCall } from '../inbound-call.ts'
import { namesValidator, revalidate } from './revalidate.ts'

const step = revalidate({ keyedHash: (text, did) => Buffer.from(`${did} ${text}`).toString('base64url') })

interface Given {
  readonly method?: string
  readonly status?: number
  readonly body?: string
  readonly headers?: readonly string[]
  readonly ifNoneMatch?: string | undefined
  readonly did?: string
}

function run(given: Given = {}) {
  const { method = 'GET', status = 200, body = '{"a":1}', did = 'did:web:lab.example', ifNoneMatch } = given
  const { headers = ['content-type', 'application/json', 'cache-control', 'private'] } = given
  const header = (name: string) => (name === 'if-none-match' ? ifNoneMatch : undefined)
  const answer = { status, headers, body: Buffer.from(body) }
  const call = { request: { method, header }, caller: { did }, answer } as unknown as InboundCall
  void step.run(call)
  assert.ok(call.answer)
  const at = call.answer.headers.indexOf('etag')
  return { ...call.answer, etag: at < 0 ? undefined : call.answer.headers[at + 1] }
}

describe('the validator of what leaves', () => {
  test('is strong, the same for the same answer, another for another', () => {
    const { etag = '' } = run()
    assert.match(etag, /^"[\w-]+"$/)
    assert.equal(run().etag, etag)
    assert.notEqual(run({ body: '{"a":2}' }).etag, etag)
    assert.notEqual(run({ headers: ['content-type', 'text/csv'] }).etag, etag)
  })

  test('is another towards every caller', () => {
    assert.notEqual(run({ did: 'did:web:other.example' }).etag, run().etag)
  })

  test('who names it gets no content, and none of the fields about content', () => {
    const { etag = '' } = run()
    const answer = run({ ifNoneMatch: `"other", ${etag}` })
    assert.equal(answer.status, 304)
    assert.equal(answer.body.byteLength, 0)
    assert.deepEqual(answer.headers, ['cache-control', 'private', 'etag', etag])
  })

  test('who names another gets the whole answer', () => {
    assert.equal(run({ ifNoneMatch: '"other"' }).status, 200)
  })

  test('is not given to what is no answer of success to a GET, nor to what has one already', () => {
    assert.equal(run({ method: 'POST' }).etag, undefined)
    assert.equal(run({ status: 404 }).etag, undefined)
    assert.equal(run({ headers: ['etag', '"own"'], ifNoneMatch: '"own"' }).status, 200)
  })
})

test('a list of validators is read as RFC 9110 says, weak ones alike', () => {
  assert.equal(namesValidator(undefined, '"a"'), false)
  assert.equal(namesValidator('*', '"a"'), true)
  assert.equal(namesValidator('W/"a"', '"a"'), true)
  assert.equal(namesValidator('"b","a"', '"a"'), true)
  assert.equal(namesValidator('a', '"a"'), false)
})
