import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../problems.ts'
import { parseRequestSignature, requestCoverage, signRequest, verifyRequestSignature } from './profile-request.ts'
import {
  createdAt,
  keyPair,
  labKeyid,
  nonce,
  requestFields,
  requestWith,
  signedRequestFields,
  type Fields,
} from './test-messages.ts'

const { signing, verifying } = keyPair('ed25519')
const signed = signedRequestFields(signing)
const input = signed['signature-input'] ?? ''

const refused = (code: string, detail?: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === code && (detail === undefined || detail.test(error.message))

/** Parses and verifies a request with these fields; throws as a node would. */
function accept(fields: Fields, control = {}): string {
  const signature = parseRequestSignature(requestWith(fields, control))
  verifyRequestSignature(signature, verifying)
  return signature.base
}

/** A valid signature over a covered list and parameters of the test's own choice. */
function forged(list: string, params: string, fields: Fields = requestFields): Fields {
  const lines = requestCoverage(requestWith(fields)).lines
  const signature = signing.sign(`${lines}"@signature-params": ${list}${params}`)
  const encoded = Buffer.from(signature).toString('base64')
  return { ...fields, 'signature-input': `comity=${list}${params}`, signature: `comity=:${encoded}:` }
}

const coveredList = requestCoverage(requestWith(requestFields)).list
const times = `;created=${createdAt};expires=${createdAt + 60}`
const rest = `;nonce="${nonce}";keyid="${labKeyid}";alg="ed25519";tag="comity-req"`

test('accepts what it signs, with either algorithm, with and without a body', () => {
  assert.equal(accept(signed).split('\n').length, 9)
  assert.equal(accept(signedRequestFields(signing, {})).split('\n').length, 5)
  const p256 = keyPair('ecdsa-p256-sha256')
  const signature = parseRequestSignature(requestWith(signedRequestFields(p256.signing)))
  verifyRequestSignature(signature, p256.verifying)
  assert.deepEqual(
    { did: signature.did, keyid: signature.keyid, created: signature.created, expires: signature.expires },
    { did: 'did:web:lab.example', keyid: labKeyid, created: createdAt, expires: createdAt + 60 },
  )
})

test('covers every field of the profile that is present, in the profile order', () => {
  const fields = {
    ...requestFields,
    'comity-actor': '"billing";type=service',
    'comity-subject': 's',
    'comity-agreement': 'a',
    authorization: 'Comity x.y.z',
    accept: 'application/json',
  }
  assert.equal(
    parseRequestSignature(requestWith(signedRequestFields(signing, fields))).components,
    '("@method" "@authority" "@path" "@query" "content-type" "content-digest" "authorization" "idempotency-key" "comity-agreement" "comity-purpose" "comity-subject" "comity-actor")',
  )
})

test('covers what the caller says it has already, so that nobody can make an old answer the present one', () => {
  const fields = signedRequestFields(signing, { 'if-none-match': '"old"' })
  assert.match(accept(fields), /^"if-none-match": "old"$/m)
  assert.throws(() => accept({ ...fields, 'if-none-match': '"new"' }), refused('signature-invalid'))
  assert.throws(
    () => accept({ ...signedRequestFields(signing, {}), 'if-none-match': '"new"' }),
    refused('signature-coverage'),
  )
})

test('refuses a request without a signature, with half of one, or with one of another tag', () => {
  assert.throws(() => accept(requestFields), refused('signature-missing'))
  for (const name of ['signature', 'signature-input']) {
    const { [name]: _, ...half } = signed
    assert.throws(() => accept(half), refused('signature-malformed'))
  }
  const other = { ...signed, 'signature-input': input.replace('comity-req', 'comity-res') }
  assert.throws(() => accept(other), refused('signature-missing'))
})

test('chooses by tag, whatever the label and whatever other signatures there are', () => {
  const value = (signed['signature'] ?? '').slice('comity='.length)
  const both = {
    ...signed,
    'signature-input': `proxy=("@method");created=1, mine=${input.slice('comity='.length)}`,
    signature: `proxy=:AAAA:, mine=${value}`,
  }
  const signature = parseRequestSignature(requestWith(both))
  verifyRequestSignature(signature, verifying)
  assert.equal(signature.label, 'mine')
})

test('refuses two signatures with the tag, and a label that is repeated or stands alone', () => {
  const params = input.slice('comity='.length)
  const value = (signed['signature'] ?? '').slice('comity='.length)
  for (const [inputs, signatures] of [
    [`comity=${params}, b=${params}`, `comity=${value}, b=${value}`],
    [`comity=${params}, comity=${params}`, `comity=${value}`],
    [`comity=${params}`, `comity=${value}, comity=${value}`],
    [`comity=${params}, b=("@method");tag="x"`, `comity=${value}`],
    [`comity=${params}`, `b=${value}`],
  ] as const) {
    const fields = { ...signed, 'signature-input': inputs, signature: signatures }
    assert.throws(() => accept(fields), refused('signature-malformed'), inputs)
  }
})

test('names the fields that are present but not covered', () => {
  const fields = { ...signed, authorization: 'Comity stolen', 'comity-subject': 'x' }
  assert.throws(
    () => accept(fields),
    (error) => {
      assert.ok(refused('signature-coverage')(error))
      assert.deepEqual((error as Problem).members, { missing: ['"authorization"', '"comity-subject"'] })
      return true
    },
  )
})

test('refuses a body without a digest, however its presence is told', () => {
  const fields = { 'content-type': 'application/json' }
  for (const [more, control] of [
    [{ 'content-length': '1' }, {}],
    [{ 'transfer-encoding': 'chunked' }, {}],
    [{}, { hasBody: true }],
  ] as const) {
    const message = signedRequestFields(signing, fields)
    assert.throws(
      () => accept({ ...message, ...more }, control),
      (error) => {
        assert.ok(refused('signature-coverage')(error))
        assert.deepEqual((error as Problem).members, { missing: ['"content-digest"'] })
        return true
      },
    )
  }
  accept({ ...signedRequestFields(signing, fields), 'content-length': '0' })
})

test('refuses lists that are not exactly the one for this message', () => {
  const extra = coveredList.replace(')', ' "date")')
  const shuffled = coveredList.replace('"@method" "@authority"', '"@authority" "@method"')
  for (const [list, code, detail] of [
    [coveredList.replace('"@path"', '"@path" "@path"'), 'signature-malformed', /covered twice/],
    [extra, 'signature-malformed', /absent, or not of this profile/],
    [coveredList.replace('"@path"', '"@path";req'), 'signature-malformed', /absent, or not of this profile/],
    [coveredList.replace('"content-type"', '"content-type";sf'), 'signature-malformed', /not of this profile/],
    [shuffled, 'signature-malformed', /in the order/],
    [coveredList.replace(' "@query"', ''), 'signature-coverage', /@query/],
    ['()', 'signature-coverage', /@method/],
    [coveredList.replace('"@method"', '@method'), 'signature-malformed', /not a string|dictionary/],
    [coveredList.replace('"@method"', '"@Method"'), 'signature-malformed', /not a component/],
    [coveredList.replace(')', ' "@signature-params")'), 'signature-malformed', /not a component/],
    ['"@method"', 'signature-malformed', /not a list/],
    [`(${Array.from({ length: 65 }, (_, i) => `"x${i}"`).join(' ')})`, 'signature-malformed', /too many/],
  ] as const) {
    assert.throws(() => accept(forged(list, times + rest)), refused(code, detail), list)
  }
})

test('refuses parameters that are missing, unknown, repeated or of the wrong kind', () => {
  const all = times + rest
  for (const [params, code] of [
    [all.replace(`;created=${createdAt}`, ''), 'signature-malformed'],
    [all.replace(/;expires=\d+/, ''), 'signature-malformed'],
    [all.replace(/;nonce="[^"]+"/, ''), 'signature-malformed'],
    [all.replace(/;keyid="[^"]+"/, ''), 'signature-malformed'],
    [all.replace(';alg="ed25519"', ''), 'signature-malformed'],
    [all.replace(`created=${createdAt}`, `created="${createdAt}"`), 'signature-malformed'],
    [all.replace(`created=${createdAt}`, `created=${createdAt}.5`), 'signature-malformed'],
    [all.replace(`created=${createdAt}`, `created=-${createdAt}`), 'signature-malformed'],
    [all.replace(`created=${createdAt}`, `created=0${createdAt}`), 'signature-malformed'],
    [all.replace(`created=${createdAt}`, `created=@${createdAt}`), 'signature-malformed'],
    [all.replace('alg="ed25519"', 'alg=ed25519'), 'signature-malformed'],
    [`${all};version=2`, 'signature-malformed'],
    [`${all};created=${createdAt}`, 'signature-malformed'],
    [all.replace('ed25519', 'hmac-sha256'), 'signature-algorithm'],
    [all.replace('ed25519', 'rsa-v1_5-sha256'), 'signature-algorithm'],
    [all.replace('ed25519', 'ecdsa-p256-sha256'), 'signature-algorithm'],
    [all.replace(labKeyid, 'did:web:lab.example'), 'signature-malformed'],
    [all.replace(labKeyid, 'https://lab.example/key#1'), 'signature-malformed'],
    [all.replace(labKeyid, 'did:web:lab.example#'), 'signature-malformed'],
    [all.replace(labKeyid, 'did:web:lab.example/a?b#k'), 'signature-malformed'],
    [all.replace(labKeyid, `did:web:${'a'.repeat(3000)}#k`), 'signature-malformed'],
    [all.replace(nonce, nonce.slice(1)), 'signature-malformed'],
    [all.replace(nonce, `${nonce}abc`), 'signature-malformed'],
    [all.replace(nonce, 'n'.repeat(87)), 'signature-malformed'],
    [all.replace(nonce, `${nonce.slice(1)}+`), 'signature-malformed'],
    [all.replace(`expires=${createdAt + 60}`, `expires=${createdAt + 61}`), 'signature-malformed'],
    [all.replace(`expires=${createdAt + 60}`, `expires=${createdAt - 1}`), 'signature-malformed'],
  ] as const) {
    assert.throws(() => accept(forged(coveredList, params)), refused(code), params)
  }
})

test('takes parameters in any order and nonces of 16 to 64 bytes', () => {
  accept(forged(coveredList, rest + times))
  accept(forged(coveredList, `${times}${rest}`.replace(nonce, 'n'.repeat(86))))
})

test('refuses a signature by another key, and a key of another algorithm', () => {
  const signature = parseRequestSignature(requestWith(signed))
  assert.throws(() => verifyRequestSignature(signature, keyPair('ed25519').verifying), refused('signature-invalid'))
  const p256 = keyPair('ecdsa-p256-sha256').verifying
  assert.throws(() => verifyRequestSignature(signature, p256), refused('signature-algorithm'))
})

test('refuses values that would forge a line of the base, or whose bytes are not certain', () => {
  for (const value of ['a\n"@path": /other', 'a\rb', 'é', 'a\u0000', '\u00a0x']) {
    const fields = { ...requestFields, 'comity-purpose': value }
    const sign = () => signedRequestFields(signing, fields)
    assert.throws(sign, refused('signature-malformed'), JSON.stringify(value))
  }
  assert.throws(() => signedRequestFields(signing, {}, { path: '/a\n"@query": ?' }), refused('signature-malformed'))
})

test('does not sign what verifiers would refuse', () => {
  const good = { key: signing, keyid: labKeyid, createdAt, expiresAt: createdAt + 60, nonce }
  for (const bad of [{ keyid: 'k1' }, { keyid: 'did:a:b#"' }, { nonce: 'short' }, { expiresAt: createdAt + 61 }]) {
    assert.throws(() => signRequest(requestWith({}), { ...good, ...bad }), refused('signature-malformed'))
  }
})
