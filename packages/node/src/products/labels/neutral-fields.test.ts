import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { neutralValue } from './neutral-fields.ts'

const date = 'Sun, 06 Nov 2033 08:49:37 GMT'
const kept: [string, string, string][] = [
  ['content-language', 'pt', 'pt'],
  ['content-language', 'de-CH, zh-Hant-TW,es-419', 'de-ch, zh-hant-tw, es-419'],
  ['cache-control', 'no-store', 'no-store'],
  ['cache-control', 'Private, max-age=60,must-revalidate', 'private, max-age=60, must-revalidate'],
  ['cache-control', 'public, s-maxage=0, stale-if-error=86400', 'public, s-maxage=0, stale-if-error=86400'],
  ['expires', date, date],
  ['expires', '0', '0'],
  ['sunset', date, date],
  ['deprecation', '@1688169599', '@1688169599'],
]

for (const [name, value, left] of kept) {
  test(`\`${name}: ${value}\` says nothing of a person and is kept`, () => {
    assert.equal(neutralValue(name, value), left)
  })
}

const dropped: [string, string][] = [
  ['content-language', ''],
  ['content-language', 'Amina Rossi'],
  ['content-language', 'amina'],
  ['content-language', 'en-x-amina'],
  ['content-language', 'en-181'],
  ['content-language', 'en, en'],
  ['content-language', 'en;q=0.181'],
  ['content-language', 'aa,bb,cc,dd,ee,ff,gg,hh,ii'],
  ['cache-control', 'max-age=60, name=amina'],
  ['cache-control', 'amina'],
  ['cache-control', 'max-age=Amina'],
  ['cache-control', 'max-age="60"'],
  ['cache-control', 'max-age=060'],
  ['cache-control', 'max-age=9999999999'],
  ['cache-control', 'max-age=1, max-age=8, max-age=1'],
  ['cache-control', 'no-cache="name"'],
  ['cache-control', 'private="amina"'],
  ['expires', 'Amina'],
  ['expires', '181'],
  ['expires', '1999-04-17'],
  ['expires', 'Sat, 06 Nov 2033 08:49:37 GMT'],
  ['expires', 'Sun, 06 Nov 2033 08:49:37 GMT (Amina)'],
  ['sunset', '0'],
  ['sunset', 'Amina'],
  ['deprecation', 'true'],
  ['deprecation', '@1688169599;name=amina'],
  ['deprecation', '@01'],
  ['deprecation', 'amina'],
  ['etag', '"1"'],
  ['x-name', 'amina'],
  ['constructor', 'amina'],
]

for (const [name, value] of dropped) {
  test(`\`${name}: ${value}\` could say something of a person and is dropped`, () => {
    assert.equal(neutralValue(name, value), undefined)
  })
}

test('whatever a field is given, what is kept of it is plain text of its own kind, and is kept again', () => {
  const name = fc.constantFrom('content-language', 'cache-control', 'expires', 'deprecation', 'sunset')
  fc.assert(
    fc.property(name, fc.oneof(fc.string(), fc.stringMatching(/^[a-z,=@ -]{1,20}$/)), (field, value) => {
      const left = neutralValue(field, value)
      if (left === undefined) return
      assert.match(left, /^[\w@=,: -]+$/)
      assert.equal(neutralValue(field, left), left)
    }),
    { numRuns: 200 },
  )
})
