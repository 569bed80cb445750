/** Request signatures with API keys, ours and by an independent implementation. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import { apiKeyName, formatApiKey } from '../api-keys/api-key.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { isKeySignature, isMadeWithKey, signWithApiKey, unsignedBase } from './profile-key.ts'
import { parseRequestSignature, readRequestSignature, requestTag, signRequest } from './profile-request.ts'
import { createdAt, keyPair, labKeyid, nonce, requestFields, requestWith, type Fields } from './test-messages.ts'

const named = { environment: 'live', id: '7Qm2xK9a', secret: '0kJ8abcdefghijklmnopqrstuvwxyz01' } as const
const apiKey = formatApiKey(named)
const secret = utf8Bytes(named.secret)
const url = 'https://node.example/x/athletes/1?sport=rowing'
const sequenced: Fields = { ...requestFields, 'comity-sequence': '7' }
const times = { createdAt, expiresAt: createdAt + 60, nonce }
const covered = ['@method', '@authority', '@path', '@query', 'content-type', 'content-digest', 'idempotency-key']
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

function signed(fields: Fields = sequenced): Fields {
  const { signatureInput, signature } = signWithApiKey(requestWith(fields), { apiKey, ...times })
  return { ...fields, 'signature-input': signatureInput, signature }
}

test('a request that is signed with a key verifies with its secret, and with no other', () => {
  const read = readRequestSignature(requestWith(signed()))
  assert.deepEqual([isKeySignature(read), read.keyid, read.alg], [true, apiKeyName(named), 'hmac-sha256'])
  assert.equal(isMadeWithKey(read, secret), true)
  assert.equal(isMadeWithKey(read, utf8Bytes(named.secret.replace('0', '1'))), false)
  assert.equal(isMadeWithKey({ ...read, signature: read.signature.subarray(1) }, secret), false)
  assert.match(read.base, /^"comity-sequence": 7$/m)
})

test('whatever is changed in it, it does not verify', () => {
  for (const [name, value] of Object.entries({
    'comity-sequence': '8',
    'comity-purpose': 'other',
    'content-type': 'text/plain',
  })) {
    assert.equal(isMadeWithKey(readRequestSignature(requestWith({ ...signed(), [name]: value })), secret), false, name)
  }
  assert.throws(
    () => readRequestSignature(requestWith({ ...signed(requestFields), 'comity-sequence': '8' })),
    refused('signature-coverage'),
  )
})

test('an algorithm of one kind of key is not one of the other', () => {
  assert.throws(() => parseRequestSignature(requestWith(signed())), refused('signature-malformed'))
  const { signing } = keyPair('ed25519')
  const made = signRequest(requestWith(requestFields), { key: signing, keyid: labKeyid, ...times })
  const confused = (from: RegExp, to: string) =>
    requestWith({
      ...requestFields,
      'signature-input': made.signatureInput.replace(from, to),
      signature: made.signature,
    })
  assert.throws(() => parseRequestSignature(confused(/ed25519/, 'hmac-sha256')), refused('signature-algorithm'))
  const read = readRequestSignature(confused(/keyid="[^"]*"/, `keyid="${apiKeyName(named)}"`))
  assert.throws(() => isMadeWithKey(read, secret), refused('signature-algorithm'))
})

test('a presented key has a base without a signature’s parameters', () => {
  assert.match(unsignedBase(requestWith({})), /\n"@signature-params": \("@method" "@authority" "@path" "@query"\)$/)
})

test('http-message-signatures: what it signs we verify, what we sign it verifies', async () => {
  const keyid = apiKeyName(named)
  const key = createSigner(Buffer.from(named.secret), 'hmac-sha256', keyid)
  const dates = { created: new Date(createdAt * 1000), expires: new Date((createdAt + 60) * 1000) }
  const theirs = await httpbis.signMessage(
    {
      key,
      name: 'theirs',
      fields: [...covered, 'comity-purpose', 'comity-sequence'],
      params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
      paramValues: { ...dates, nonce, tag: requestTag },
    },
    { method: 'POST', url, headers: { ...sequenced } },
  )
  const fields = Object.fromEntries(
    Object.entries(theirs.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
  assert.equal(isMadeWithKey(readRequestSignature(requestWith(fields)), secret), true)
  const verify = createVerifier(Buffer.from(named.secret), 'hmac-sha256')
  const check = (headers: Fields) =>
    httpbis.verifyMessage(
      {
        keyLookup: async () => ({ id: keyid, algs: ['hmac-sha256'], verify }),
        notAfter: dates.created,
        tolerance: 10 ** 9,
      },
      { method: 'POST', url, headers: { ...headers } },
    )
  assert.equal(await check(signed()), true)
  assert.equal(await check({ ...signed(), 'comity-sequence': '8' }), false)
})

test('the MAC is that of node:crypto over the base', () => {
  const read = readRequestSignature(requestWith(signed()))
  assert.deepEqual(Buffer.from(read.signature), createHmac('sha256', named.secret).update(read.base).digest())
})

test('what is no key signs nothing', () => {
  assert.throws(() => signWithApiKey(requestWith({}), { apiKey: `${apiKey}x`, ...times }), refused('key-malformed'))
})
