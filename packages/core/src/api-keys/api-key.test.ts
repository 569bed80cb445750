import assert from 'node:assert/strict'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import {
  apiKeyName,
  apiKeyPattern,
  environments,
  formatApiKey,
  isApiKeyLike,
  newKeyId,
  newKeySecret,
  parseApiKey,
  parseApiKeyName,
} from './api-key.ts'
import { formatBase62, randomBase62 } from './base62.ts'
import { crc32 } from './crc32.ts'

const refused = (error: unknown) => error instanceof Problem && error.code === 'key-malformed'

const byteSource = (bytes: Iterator<number>) => (length: number) =>
  Uint8Array.from({ length }, () => bytes.next().value as number)

/** Bytes that look random and are the same each time (xorshift32). */
function* bytesFrom(seed: number): Generator<number, never> {
  let state = seed | 1
  for (;;) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield state & 0xff
  }
}

const made = fc
  .record({ environment: fc.constantFrom(...environments), seed: fc.nat() })
  .map(({ environment, seed }) => {
    const random = byteSource(bytesFrom(seed))
    return { environment, id: newKeyId(random), secret: newKeySecret(random) }
  })

test('a key that was made is read back, is 57 characters, and is found by the published pattern', () => {
  const finder = new RegExp(apiKeyPattern, 'g')
  fc.assert(
    fc.property(made, (key) => {
      const text = formatApiKey(key)
      assert.equal(text.length, 57)
      assert.deepEqual(parseApiKey(text), key)
      assert.deepEqual(`export KEY=${text}; curl`.match(finder), [text])
      assert.deepEqual(parseApiKeyName(apiKeyName(key)), { environment: key.environment, id: key.id })
    }),
    { numRuns: 200 },
  )
})

test('no key with one character changed is a key', () => {
  fc.assert(
    fc.property(made, fc.nat(56), fc.constantFrom(...'0Aaz_-é'), (key, at, other) => {
      const text = formatApiKey(key)
      fc.pre(text[at] !== other)
      assert.throws(() => parseApiKey(text.slice(0, at) + other + text.slice(at + 1)), refused)
    }),
    { numRuns: 200 },
  )
})

test('no key that was cut off, repeated, or stands among other text is a key', () => {
  const text = formatApiKey({ environment: 'live', id: '7Qm2xK9a', secret: 'a'.repeat(32) })
  for (const wrong of ['', 'cmty_', text.slice(0, -1), text.slice(1), `${text} `, `${text}\n`, text + text, ` ${text}`])
    assert.throws(() => parseApiKey(wrong), refused, JSON.stringify(wrong))
  assert.throws(() => parseApiKeyName('cmty_live_7Qm2xK9'), refused)
  assert.throws(() => parseApiKeyName(text), refused)
})

test('the refusal tells nothing of what was presented', () => {
  const text = formatApiKey({ environment: 'test', id: '7Qm2xK9a', secret: 'hunter2hunter2hunter2hunter2hunt' })
  const wrong = text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')
  assert.throws(
    () => parseApiKey(wrong),
    (error) => error instanceof Problem && !/hunter2|7Qm2xK9a/.test(JSON.stringify(error) + error.message),
  )
})

test('what was meant to be a key is known by its beginning', () => {
  assert.equal(isApiKeyLike('cmty_livf_x'), true)
  assert.equal(isApiKeyLike('eyJhbGciOiJub25lIn0'), false)
})

test('the checksum is the CRC-32 that everybody computes, in six characters of base62', () => {
  assert.equal(crc32('123456789'), 0xcbf43926)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => assert.equal(crc32(text), zlibCrc32(text))),
    { numRuns: 200 },
  )
  assert.equal(formatBase62(0, 6), '000000')
  assert.equal(formatBase62(61, 6), '00000z')
  assert.equal(formatBase62(0xffffffff, 6), '4gfFC3')
  // A key that was fixed once and must stay readable for ever.
  assert.equal(
    formatApiKey({ environment: 'live', id: '00000000', secret: '0'.repeat(32) }),
    `cmty_live_00000000_${'0'.repeat(32)}${formatBase62(zlibCrc32(`cmty_live_00000000_${'0'.repeat(32)}`), 6)}`,
  )
})

test('every character is as likely as any other: bytes that would favour some are left out', () => {
  // From the end, so that the eight bytes that are too many come first.
  let at = 255
  const text = randomBase62(248, (length) => Uint8Array.from({ length }, () => at-- & 0xff))
  const counts = Map.groupBy(text, (character) => character)
  assert.equal(counts.size, 62)
  assert.deepEqual([...new Set([...counts.values()].map(({ length }) => length))], [4])
})
