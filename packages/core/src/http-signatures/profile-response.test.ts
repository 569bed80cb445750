import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import {
  parseResponseSignature,
  responseCoverage,
  signResponse,
  verifyResponseSignature,
  type AnsweredRequest,
} from './profile-response.ts'
import {
  createdAt,
  holderKeyid,
  keyPair,
  requestFields,
  requestWith,
  responseFields,
  responseWith,
  signedRequestFields,
  signedResponseFields,
  type Fields,
} from './test-messages.ts'

const lab = keyPair('ed25519')
const holder = keyPair('ed25519')
const sent = signedRequestFields(lab.signing)
const answer = signedResponseFields(holder.signing, sent)
const answered: AnsweredRequest = { parts: requestWith(sent), signatureHeader: sent['signature'] }

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

function accept(fields: Fields, request = answered, status = 200): string {
  const signature = parseResponseSignature(responseWith(fields, status), request)
  verifyResponseSignature(signature, holder.verifying)
  return signature.base
}

/** A valid signature over a covered list and parameters of the test's own choice. */
function forged(list: string, params: string): Fields {
  const lines = responseCoverage(responseWith(responseFields), answered).lines
  const signature = Buffer.from(holder.signing.sign(`${lines}"@signature-params": ${list}${params}`))
  return {
    ...responseFields,
    'signature-input': `comity=${list}${params}`,
    signature: `comity=:${signature.toString('base64')}:`,
  }
}

const { list: coveredList } = responseCoverage(responseWith(responseFields), answered)
const params = `;created=${createdAt};keyid="${holderKeyid}";alg="ed25519";tag="comity-res"`

test('covers the answer and the request that was sent, as the wire profile lists them', () => {
  accept(answer)
  assert.equal(
    coveredList,
    '("@status" "content-type" "content-digest" "comity-receipt" "@method";req "@authority";req "@path";req "@query";req "content-digest";req "signature";req;key="comity")',
  )
})

test('covers the validator of the answer', () => {
  const made = { ...responseFields, etag: '"a"' }
  const { list, lines } = responseCoverage(responseWith(made), answered)
  assert.ok(list.includes('"comity-receipt" "etag" "@method";req'), list)
  assert.match(lines, /^"etag": "a"$/m)
  assert.throws(() => accept({ ...answer, etag: '"a"' }), refused('answer-invalid'))
})

test('covers fewer fields when fewer are there', () => {
  const get = signedRequestFields(lab.signing, {})
  const request = { parts: requestWith(get), signatureHeader: get['signature'] }
  const { list } = responseCoverage(responseWith({}, 204), request)
  assert.equal(list, '("@status" "@method";req "@authority";req "@path";req "@query";req "signature";req;key="comity")')
  const anonymous = { parts: requestWith({}) }
  const { list: unsigned } = responseCoverage(responseWith({}, 204), anonymous)
  assert.equal(unsigned, '("@status" "@method";req "@authority";req "@path";req "@query";req)')
})

test('wants a digest of every answer that has content, and of no other', () => {
  const digested = (status: number, method: string, hasBody?: boolean) => {
    const response = { ...responseWith({ 'content-length': '18' }, status), ...(hasBody !== undefined && { hasBody }) }
    return responseCoverage(response, { parts: requestWith({}, { method }) })
  }
  for (const [status, method] of [
    [200, 'HEAD'],
    [204, 'GET'],
    [304, 'GET'],
  ] as const)
    digested(status, method)
  digested(200, 'GET', false)
  assert.throws(() => digested(200, 'GET'), refused('signature-coverage'))
  assert.throws(() => digested(200, 'HEAD', true), refused('signature-coverage'))
})

test('binds to the label that the request was signed under', () => {
  const value = (sent['signature'] ?? '').slice('comity='.length)
  const request = { ...answered, label: 'sig1', signatureHeader: `proxy=:AAAA:, sig1=${value}` }
  const signing = { key: holder.signing, keyid: holderKeyid, createdAt }
  const made = signResponse(responseWith(responseFields), request, signing)
  assert.match(made.base, new RegExp(`"signature";req;key="sig1": ${value.replaceAll('+', '\\+')}\n`))
  accept({ ...responseFields, 'signature-input': made.signatureInput, signature: made.signature }, request)
})

test('refuses an answer without a signature or with one of another tag as unsigned', () => {
  assert.throws(() => accept(responseFields), refused('answer-unsigned'))
  const { signature: _, ...half } = answer
  assert.throws(() => accept(half), refused('answer-unsigned'))
  const input = (answer['signature-input'] ?? '').replace('comity-res', 'comity-req')
  assert.throws(() => accept({ ...answer, 'signature-input': input }), refused('answer-unsigned'))
})

test('refuses an answer to another request', () => {
  const controls = [{ method: 'PUT' }, { path: '/x/athletes/2' }, { query: '?' }, { authority: 'other.example' }]
  for (const control of controls) {
    const other = { ...answered, parts: requestWith(sent, control) }
    assert.throws(() => accept(answer, other), refused('answer-invalid'), JSON.stringify(control))
  }
  const again = signedRequestFields(lab.signing, { ...requestFields, 'idempotency-key': '"other"' })
  assert.throws(() => accept(answer, { ...answered, signatureHeader: again['signature'] }), refused('answer-invalid'))
})

test('names an answer whose signature leaves out the request as unbound', () => {
  for (const left of ['"signature";req;key="comity"', '"@path";req', '"content-digest";req']) {
    const list = coveredList.replace(` ${left}`, '')
    assert.throws(() => accept(forged(list, params)), refused('answer-unbound'), left)
  }
})

test('refuses an answer whose own parts were changed, added or taken away', () => {
  assert.throws(() => accept(answer, answered, 201), refused('answer-invalid'))
  for (const name of ['content-type', 'content-digest', 'comity-receipt']) {
    const { [name]: _, ...without } = answer
    assert.throws(() => accept(without), refused('answer-invalid'), name)
    assert.throws(() => accept({ ...answer, [name]: `${answer[name]}x` }), refused('answer-invalid'), name)
  }
  const bare = signedResponseFields(holder.signing, sent, {})
  accept(bare)
  assert.throws(() => accept({ ...bare, 'comity-receipt': 'x.y.z' }), refused('answer-invalid'))
  assert.throws(() => accept({ ...bare, 'content-length': '3' }), refused('answer-invalid'))
})

test('refuses lists and parameters that are not exactly those of the profile', () => {
  for (const [list, given] of [
    [coveredList.replace('"@status"', '"@status" "@status"'), params],
    [coveredList.replace('"@status" "content-type"', '"content-type" "@status"'), params],
    [coveredList.replace(')', ' "date")'), params],
    [coveredList.replace('"signature";req;key="comity"', '"signature";key="comity";req'), params],
    [coveredList, `${params};nonce="x"`],
    [coveredList, params.replace(/;created=\d+/, '')],
    [coveredList, params.replace('ed25519', 'hmac-sha256')],
    [coveredList, params.replace('#k1', '')],
  ] as const) {
    assert.throws(() => accept(forged(list, given)), refused('answer-invalid'), list + given)
  }
})

test("refuses another key, a key of another algorithm, and the request's signature sent back", () => {
  const signature = parseResponseSignature(responseWith(answer), answered)
  const wrong = [lab.verifying, keyPair('ecdsa-p256-sha256').verifying]
  for (const key of wrong) assert.throws(() => verifyResponseSignature(signature, key), refused('answer-invalid'))
  const echoed = { ...answer, signature: sent['signature'] ?? '' }
  assert.throws(() => accept(echoed), refused('answer-invalid'))
})

test('refuses to bind to a signature field that cannot be read', () => {
  for (const signatureHeader of ['', 'comity', 'comity=:a', 'other=:AAAA:', 'comity=:AAAA:, comity=:AAAA:']) {
    assert.throws(() => accept(answer, { ...answered, signatureHeader }), refused('answer-invalid'), signatureHeader)
  }
})

test('the expression for the common shape and the library give the same result', () => {
  const lists = fc.constantFrom(coveredList, coveredList.replace(' "@query";req', ''), '()')
  const word = fc.constantFrom('ed25519', 'ecdsa-p256-sha256', 'x', '')
  const keyid = fc.oneof(fc.constant(holderKeyid), fc.string({ maxLength: 20 }))
  const bytes = fc.oneof(fc.base64String({ maxLength: 90 }), fc.constantFrom('AB==', '', 'AAA'))
  const created = fc.integer({ min: -9, max: 99 })
  fc.assert(
    fc.property(fc.record({ list: lists, created, keyid, alg: word, signature: bytes }), (made) => {
      const input = `comity=${made.list};created=${made.created};keyid="${made.keyid}";alg="${made.alg}";tag="comity-res"`
      const fields = { ...responseFields, 'signature-input': input, signature: `comity=:${made.signature}:` }
      assert.deepEqual(outcome(fields), outcome({ ...fields, 'signature-input': ` ${input}` }))
    }),
    { numRuns: 200 },
  )
  const spaced = { ...answer, 'signature-input': ` ${answer['signature-input']}` }
  assert.deepEqual(outcome(answer), outcome(spaced))
})

function outcome(fields: Fields) {
  try {
    return parseResponseSignature(responseWith(fields), answered)
  } catch (error) {
    assert.ok(error instanceof Problem, String(error))
    return { code: error.code, detail: error.message }
  }
}

test('a signed answer with anything changed is refused with a problem of the answer', () => {
  const original = accept(answer)
  const names = Object.keys(answer).filter((name) => name !== 'content-length')
  const edit = fc.record({
    name: fc.constantFrom(...names),
    at: fc.nat(),
    length: fc.nat(5),
    by: fc.string({ maxLength: 3 }),
  })
  fc.assert(
    fc.property(edit, ({ name, at, length, by }) => {
      const value = answer[name] ?? ''
      const start = at % (value.length + 1)
      const mutated = value.slice(0, start) + by + value.slice(start + length)
      try {
        assert.equal(accept({ ...answer, [name]: mutated }), original)
      } catch (error) {
        assert.ok(error instanceof Problem && error.code.startsWith('answer-'), String(error))
      }
    }),
    { numRuns: 200 },
  )
})
