import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import { concatBytes, equalBytes } from './bytes.ts'
import { decodeHex, encodeHex } from './hex.ts'
import { utf8Bytes, utf8Text } from './utf8.ts'

const codecs = [
  { name: 'base64url', encode: encodeBase64url, decode: decodeBase64url },
  { name: 'base64', encode: encodeBase64, decode: decodeBase64 },
  { name: 'hex', encode: encodeHex, decode: decodeHex },
]

for (const { name, encode, decode } of codecs) {
  test(`${name} gives back the bytes it was given, also those of a view into a larger buffer`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(5), (bytes, offset) => {
        const view = bytes.subarray(Math.min(offset, bytes.length))
        assert.deepEqual(decode(encode(view)), new Uint8Array(view))
      }),
    )
  })

  test(`${name} reads no text but the one that it writes`, () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: 'binary-ascii' }), (text) => {
        let bytes
        try {
          bytes = decode(text)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'malformed-request')
          return
        }
        assert.equal(encode(bytes), text)
      }),
    )
  })
}

test('RFC 4648 §10 vectors in the three encodings', () => {
  const vectors = [
    ['', '', '', ''],
    ['f', 'Zg==', 'Zg', '66'],
    ['fo', 'Zm8=', 'Zm8', '666f'],
    ['foo', 'Zm9v', 'Zm9v', '666f6f'],
    ['foob', 'Zm9vYg==', 'Zm9vYg', '666f6f62'],
    ['fooba', 'Zm9vYmE=', 'Zm9vYmE', '666f6f6261'],
  ] as const
  for (const [text, padded, url, hex] of vectors) {
    assert.equal(encodeBase64(utf8Bytes(text)), padded)
    assert.equal(encodeBase64url(utf8Bytes(text)), url)
    assert.equal(encodeHex(utf8Bytes(text)), hex)
  }
  assert.equal(encodeBase64(Uint8Array.of(0xfb, 0xff)), '+/8=')
  assert.equal(encodeBase64url(Uint8Array.of(0xfb, 0xff)), '-_8')
})

test('refuses every second spelling of the same bytes', () => {
  for (const text of ['Zg==', 'Zh', 'Z', 'Zg\n', ' Zg', '+/8', 'Zg.', 'Zm9v=', 'Zé', 'A', 'Zm9vY']) {
    assert.throws(() => decodeBase64url(text), { code: 'malformed-request' }, text)
  }
  for (const text of ['Zg', 'Zg=', 'Zh==', 'Zg==\n', '-_8=', 'Zm9v====', '=', 'Zg==Zg==']) {
    assert.throws(() => decodeBase64(text), { code: 'malformed-request' }, text)
  }
  for (const text of ['6', 'AB', '0x66', '6g', ' 66', '66\n']) {
    assert.throws(() => decodeHex(text), { code: 'malformed-request' }, text)
  }
})

test('a decoded array owns its memory, so changing it changes nothing else', () => {
  const bytes = decodeBase64url('Zm9v')
  assert.equal(bytes.constructor, Uint8Array)
  assert.equal(bytes.buffer.byteLength, 3)
})

test('joins in order and compares by content', () => {
  const joined = concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))
  assert.deepEqual(joined, Uint8Array.of(1, 2, 3))
  assert.ok(equalBytes(joined, Buffer.from([1, 2, 3])))
  assert.ok(!equalBytes(joined, Uint8Array.of(1, 2)))
  assert.ok(!equalBytes(joined, Uint8Array.of(1, 2, 4)))
})

test('refuses bytes that are not UTF-8 and keeps a byte order mark', () => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.throws(() => utf8Text(Uint8Array.from(bytes)), { code: 'malformed-request' })
  }
  assert.equal(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa')
})
