import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InboundCall } from '../inbound-call.ts'
import { keepPrivate, keptPrivate } from './keep-private.ts'

const ofPartner = (...headers: string[]) => {
  const kept = keptPrivate(headers, false)
  return kept[kept.indexOf('cache-control') + 1]
}
const ofPerson = (...headers: string[]) => keptPrivate(headers, true)

test('no cache that is shared keeps an answer for one caller, whatever the upstream says', () => {
  assert.equal(ofPartner(), 'private')
  assert.equal(ofPartner('cache-control', 'public, max-age=3600, s-maxage=86400'), 'private, max-age=3600')
  assert.equal(ofPartner('cache-control', 'Max-Age=60, must-revalidate'), 'private, max-age=60, must-revalidate')
  assert.equal(ofPartner('cache-control', 'private="set-cookie, x", community="x"'), 'private')
  assert.equal(ofPartner('Cache-Control', 'public', 'cache-control', 'NO-STORE'), 'no-store')
})

test('a cache of the caller tells calls apart by what decides them', () => {
  const [, , name, vary] = keptPrivate(['vary', 'X-Units, Accept'], false)
  assert.equal(name, 'vary')
  assert.match(vary ?? '', /^accept, .*comity-purpose, .*x-units$/)
  assert.ok(keptPrivate(['vary', '*'], false).includes('*'))
})

test('an answer about a person is asked for anew before each use', () => {
  const headers = ['content-type', 'application/json', 'expires', 'Sun, 06 Nov 2033 08:49:37 GMT']
  const rest = ['content-type', 'application/json', 'cache-control']
  assert.deepEqual(ofPerson(...headers, 'cache-control', 'public, max-age=3600'), [...rest, 'private, no-cache'])
  assert.deepEqual(ofPerson(...headers), [...rest, 'private, no-cache'])
  assert.deepEqual(ofPerson(...headers, 'cache-control', 'no-store'), [...rest, 'no-store'])
})

test('what anybody gets of a public product is cached as the upstream says, what a partner gets of it is not', () => {
  const headers = ['cache-control', 'public, max-age=3600']
  const run = (given: object) => {
    const call = { answer: { status: 200, headers, body: Buffer.alloc(0) }, ...given } as unknown as InboundCall
    void keepPrivate.run(call)
    return call.answer?.headers.slice(0, 2)
  }
  const product = { productClass: 'public' }
  assert.deepEqual(run({ product }), headers)
  assert.deepEqual(run({ product, caller: { did: 'did:web:a.example' } }), ['cache-control', 'private, max-age=3600'])
  assert.deepEqual(run({ product: { productClass: 'partner' } }), ['cache-control', 'private, max-age=3600'])
})
