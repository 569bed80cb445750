import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { contentDigest, contentDigestOfHash, parseContentDigest, verifyContentDigest } from './content-digest.ts'

const body = Buffer.from('{"hello": "world"}')
const sha = (name: string, content: Uint8Array = body) => createHash(name).update(content).digest('base64')
const sha256 = `sha-256=:${sha('sha256')}:`
const sha512 = `sha-512=:${sha('sha512')}:`
const wrong256 = `sha-256=:${sha('sha256', Buffer.of(1))}:`
const wrong512 = `sha-512=:${sha('sha512', Buffer.of(1))}:`

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

test('RFC 9530 Appendix B: the digest of a body', () => {
  assert.equal(contentDigest(body), 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:')
  assert.equal(contentDigest(new Uint8Array()), 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:')
})

test('writes the same field from a hash that is known already', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (content) => {
      const hash = createHash('sha256').update(content).digest('base64url')
      assert.equal(contentDigestOfHash(hash), contentDigest(content))
    }),
  )
})

test('accepts every active algorithm, alone or together, beside ones that count for nothing', () => {
  for (const header of [sha256, sha512, `${sha256}, ${sha512}`, `${sha512},${sha256}`, `md5=:AAAA:, ${sha256}`]) {
    verifyContentDigest(header, body)
  }
  verifyContentDigest(undefined, new Uint8Array())
  verifyContentDigest(contentDigest(new Uint8Array()), new Uint8Array())
})

test('refuses a body that is not the one that was digested', () => {
  for (const header of [
    wrong256,
    wrong512,
    `${sha256}, ${wrong512}`,
    `${wrong256}, ${sha512}`,
    contentDigest(new Uint8Array()),
  ]) {
    assert.throws(() => verifyContentDigest(header, body), refused('digest-mismatch'), header)
  }
  assert.throws(() => verifyContentDigest(sha256, new Uint8Array()), refused('digest-mismatch'))
})

test('refuses a body without a digest of an active algorithm', () => {
  assert.throws(() => verifyContentDigest(undefined, body), refused('digest-mismatch'))
  for (const header of [
    '',
    `md5=:${sha('md5')}:`,
    `sha=:${sha('sha1')}:`,
    'unixsum=:AAAA:',
    `sha-384=:${sha('sha384')}:`,
  ]) {
    assert.throws(() => verifyContentDigest(header, body), refused('digest-mismatch'), header)
  }
})

test('refuses fields that are malformed or that two readers could read differently', () => {
  for (const header of [
    'sha-256',
    'sha-256=',
    `sha-256=${sha('sha256')}`,
    `sha-256="${sha('sha256')}"`,
    `sha-256=?1`,
    'sha-256=::',
    'sha-256=:AAAA:',
    `sha-512=:${sha('sha256')}:`,
    `sha-256=:${sha('sha256').replace('=', '')}:`,
    `sha-256=:${sha('sha256').replaceAll('/', '_')}_:`,
    `sha-256=(:${sha('sha256')}:)`,
    `SHA-256=:${sha('sha256')}:`,
    `${wrong256}, ${sha256}`,
    `${sha256}, ${sha256}`,
    `${sha256},`,
    `${sha256} ${sha512}`,
    `${sha256}; , x`,
    `md5=1, ${sha256}, `,
    `,${sha256}`,
    'é',
    'a'.repeat(20_000),
  ]) {
    assert.throws(() => verifyContentDigest(header, body), refused('malformed-request'), header)
  }
})

test('reads what it writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
      verifyContentDigest(contentDigest(content), content)
      assert.deepEqual(parseContentDigest(contentDigest(content)).sha256?.length, 32)
    }),
  )
})

test('any text in place of the field is refused with a problem', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'sha-2561=:,; "AQ/+()'), maxLength: 40 }))
  fc.assert(
    fc.property(text, (header) => {
      assert.throws(() => verifyContentDigest(header, body), Problem)
    }),
    { numRuns: 200 },
  )
})
