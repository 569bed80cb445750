import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

// A browser has no `Buffer`; the codecs look for it once, when they are loaded.
async function withoutBuffer<T>(load: () => Promise<T>): Promise<T> {
  const { Buffer: kept } = globalThis
  Reflect.deleteProperty(globalThis, 'Buffer')
  try {
    return await load()
  } finally {
    globalThis.Buffer = kept
  }
}

const codecs = await withoutBuffer(async () => ({
  native: await import('./native-bytes.ts'),
  base64url: await import('./base64url.ts'),
  base64: await import('./base64.ts'),
  hex: await import('./hex.ts'),
}))

test('where there is no Buffer the portable codecs write what the native ones do', () => {
  assert.ok(codecs.native.nativeEncoder('hexSlice') === undefined)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const native = Buffer.from(bytes)
      assert.equal(codecs.base64url.encodeBase64url(bytes), native.toString('base64url'))
      assert.equal(codecs.base64.encodeBase64(bytes), native.toString('base64'))
      assert.equal(codecs.hex.encodeHex(bytes), native.toString('hex'))
      assert.deepEqual(codecs.base64url.decodeBase64url(native.toString('base64url')), bytes)
      assert.deepEqual(codecs.base64.decodeBase64(native.toString('base64')), bytes)
      assert.deepEqual(codecs.hex.decodeHex(native.toString('hex')), bytes)
    }),
  )
})

test('where there is no Buffer text is encoded as the same UTF-8', () => {
  for (const text of ['', 'a', 'é\u{1f600}', '\ud800']) {
    assert.equal(codecs.base64url.encodeBase64urlText(text), Buffer.from(text).toString('base64url'))
  }
})

test('where there is no Buffer the portable codecs refuse the same second spellings', () => {
  for (const text of ['Zg==', 'Zh', 'Z', 'Zg\n', ' Zg', '+/8', 'Zg.', 'Zm9v=', 'Zé', 'Zm9vY']) {
    assert.throws(() => codecs.base64url.decodeBase64url(text), { code: 'malformed-request' }, text)
  }
  for (const text of ['Zg', 'Zg=', 'Zh==', 'Zg==\n', '-_8=', 'Zm9v====', '=']) {
    assert.throws(() => codecs.base64.decodeBase64(text), { code: 'malformed-request' }, text)
  }
})
