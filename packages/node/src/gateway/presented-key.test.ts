import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret, parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import fc from 'fast-check'
import { presentedKey, refuseKeyInAddress, refuseRepeated, secretOf } from './presented-key.ts'

const random = (count: number) => new Uint8Array(randomBytes(count))
const key = formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })
const secret = secretOf(key)

const presentedIn = (fields: Readonly<Record<string, string>>) => presentedKey({ header: (name) => fields[name] })
const refusal = (code: string) => (error: unknown) =>
  error instanceof Problem && error.code === code && !error.message.includes(secret)

test('a key is taken from `Bearer`, in any case and after any number of spaces, and from `X-API-Key`', () => {
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER    ']) {
    assert.equal(presentedIn({ authorization: scheme + key }), key)
  }
  assert.equal(presentedIn({ 'x-api-key': key }), key)
})

test('an empty field presents nothing, and hides nothing', () => {
  assert.equal(presentedIn({ 'x-api-key': '' }), undefined)
  assert.equal(presentedIn({ 'x-api-key': '', authorization: `Bearer ${key}` }), key)
})

test('a key in any other spelling is refused, never passed over', () => {
  for (const authorization of [
    `Bearer\t${key}`,
    `Bearer \t${key}`,
    `Bearer\u00a0${key}`,
    `Bearer${key}`,
    key,
    `Token ${key}`,
    `Bearer "${key}"`,
    `Bearer token=${key}`,
    `Basic eDp5, Bearer ${key}`,
    `Bearer eyJh.b.c, Bearer ${key}`,
    `Bearer ${key.replace('cmty_', 'cmty%5F')}`,
    `Bearer ${key.replace('cmty_', 'cmty%255f')}`,
    `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
    `basic ${Buffer.from(`x:${key}`).toString('base64url')}`,
  ])
    assert.throws(() => presentedIn({ authorization }), refusal('key-malformed'), authorization.slice(0, 12))
  for (const named of [`Bearer ${key}`, `"${key}"`, `x, ${key}`]) {
    assert.throws(() => presentedIn({ 'x-api-key': named }), refusal('key-malformed'))
  }
  // Judged as a key, whose shape is wrong.
  assert.equal(presentedIn({ authorization: `Bearer ${key}, Bearer ${key}` }), `${key}, Bearer ${key}`)
})

test('other credentials are nobody’s API key, also where they hold its prefix by chance', () => {
  for (const authorization of ['Basic eDp5', 'Comity eyJhbGci.cmty_Qm2x.sig~x', 'Bearer eyJh.cmty_.c', 'DPoP x', '']) {
    assert.equal(presentedIn({ authorization }), undefined)
  }
})

test('an address that holds a key is refused, whatever of it is escaped, and however often', () => {
  const escapeOnce = (text: string, which: (index: number) => boolean) =>
    [...text]
      .map((letter, index) => (which(index) ? `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}` : letter))
      .join('')
  fc.assert(
    fc.property(
      fc.array(fc.infiniteStream(fc.boolean()), { maxLength: 3 }),
      fc.boolean(),
      fc.constantFrom(key, key.slice(0, 40)),
      (rounds, inPath, text) => {
        const escaped = rounds.reduce((inner, marks) => escapeOnce(inner, () => marks.next().value === true), text)
        const address = inPath ? { path: `/x/a/${escaped}`, query: '?' } : { path: '/x/a', query: `?k=${escaped}` }
        assert.throws(() => refuseKeyInAddress(address), refusal('key-in-query'))
      },
    ),
    { numRuns: 200 },
  )
  for (const underscore of ['%5f', '%255F', '%25255f', '%2525255f', '%%35%66']) {
    const query = `?k=${key.replaceAll('_', underscore)}`
    assert.throws(() => refuseKeyInAddress({ path: '/', query }), refusal('key-in-query'), underscore)
  }
  refuseKeyInAddress({ path: '/x/a/50%25', query: '?q=100%2525&cmty=live' })
  // No key has an id of another length.
  refuseKeyInAddress({ path: '/x/a/cmty_live_example_', query: '?name=cmty_test_descriptions_' })
})

test('a secret that is sent once more is refused: in another field, in the address without its prefix, in the body', () => {
  const refused = (changes: object, body?: Uint8Array) => {
    const request = { path: '/x/a', query: '?', headers: new Map([['accept', '*/*']]), ...changes }
    return () => refuseRepeated(request, secret, body)
  }
  assert.equal(secret, parseApiKey(key).secret)
  refused({}, Buffer.from('{}'))()
  for (const changes of [
    { headers: new Map([['x-note', `see ${secret}!`]]) },
    { headers: new Map([['cookie', `a=${key}`]]) },
    { path: `/x/a/${secret}` },
    { query: `?q=${secret}` },
    { query: `?q=%${secret.charCodeAt(0).toString(16)}${secret.slice(1)}` },
  ])
    assert.throws(refused(changes), refusal('credential-duplicated'), JSON.stringify(Object.keys(changes)))
  assert.throws(refused({}, Buffer.from(JSON.stringify({ name: key }))), refusal('credential-duplicated'))
})
