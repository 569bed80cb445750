/** Comity's request signature against whatever a stranger may send. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { parseRequestSignature, requestCoverage, verifyRequestSignature } from './profile-request.ts'
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
const coveredList = requestCoverage(requestWith(requestFields)).list

/** Parses and verifies a request with these fields; throws as a node would. */
function accept(fields: Fields, control = {}): string {
  const signature = parseRequestSignature(requestWith(fields, control))
  verifyRequestSignature(signature, verifying)
  return signature.base
}

/** What a parse came to, so that two can be compared. */
function outcome(fields: Fields) {
  try {
    return parseRequestSignature(requestWith(fields))
  } catch (error) {
    assert.ok(error instanceof Problem, String(error))
    return { code: error.code, detail: error.message }
  }
}

const when = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: createdAt - 70, max: createdAt + 70 }))
const parameters = fc.record({
  list: fc.constantFrom(coveredList, coveredList.replace(' "@query"', ''), `(  ${coveredList.slice(1)}`, '()'),
  created: when,
  expires: when,
  nonce: fc.oneof(
    fc.constant(nonce),
    fc.string({ unit: fc.constantFrom('a', '_', '-', '+', 'Z', '"', '\\'), maxLength: 90 }),
  ),
  keyid: fc.oneof(fc.constant(labKeyid), fc.string({ maxLength: 30 }), fc.constant('did:key:z6Mk#z6Mk')),
  alg: fc.constantFrom('ed25519', 'ecdsa-p256-sha256', 'hmac-sha256', 'x', 'Ed25519', ''),
  signature: fc.oneof(fc.base64String({ maxLength: 90 }), fc.constantFrom('AB==', 'AAB=', 'AAA', '====', '_-__', '')),
})

test('the expression for the common shape and the library give the same result', () => {
  fc.assert(
    fc.property(parameters, (made) => {
      const times = `;created=${made.created};expires=${made.expires}`
      const rest = `;nonce="${made.nonce}";keyid="${made.keyid}";alg="${made.alg}";tag="comity-req"`
      const signatureInput = `comity=${made.list}${times}${rest}`
      const fields = { ...requestFields, signature: `comity=:${made.signature}:` }
      // A leading space changes nothing for the library and is never of the common shape.
      assert.deepEqual(
        outcome({ ...fields, 'signature-input': signatureInput }),
        outcome({ ...fields, 'signature-input': ` ${signatureInput}` }),
      )
    }),
    { numRuns: 200 },
  )
  assert.deepEqual(outcome(signed), outcome({ ...signed, 'signature-input': ` ${input}` }))
})

const edits = fc.record({
  name: fc.constantFrom(...Object.keys(signed).filter((name) => name !== 'content-length')),
  at: fc.nat(),
  length: fc.nat(6),
  by: fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('', ' ', '"', ';', ',', '=', ')', '\\', '\n', 'é')),
})

test('a signed request with anything changed is refused with a problem', () => {
  const original = accept(signed)
  fc.assert(
    fc.property(edits, ({ name, at, length, by }) => {
      const value = signed[name] ?? ''
      const start = at % (value.length + 1)
      const mutated = value.slice(0, start) + by + value.slice(start + length)
      try {
        // White space that changes nothing in the base is the one thing that may differ.
        assert.equal(accept({ ...signed, [name]: mutated }), original)
      } catch (error) {
        assert.ok(error instanceof Problem, String(error))
      }
    }),
    { numRuns: 200 },
  )
})

test('a signed request with any one character changed is refused', () => {
  for (const [name, value] of Object.entries(signed)) {
    if (name === 'content-length') continue
    for (let at = 0; at < value.length; at++) {
      const other = value[at] === 'A' ? 'B' : 'A'
      const mutated = value.slice(0, at) + other + value.slice(at + 1)
      assert.throws(() => accept({ ...signed, [name]: mutated }), Problem, `${name} ${mutated}`)
    }
  }
})

test('a signed request with its components in any other order is refused', () => {
  const components = coveredList.slice(1, -1).split(' ')
  fc.assert(
    fc.property(fc.shuffledSubarray(components, { minLength: components.length }), (shuffled) => {
      fc.pre(shuffled.join(' ') !== components.join(' '))
      const list = `(${shuffled.join(' ')})`
      assert.throws(() => accept({ ...signed, 'signature-input': input.replace(coveredList, list) }), Problem)
    }),
  )
})

test('any text in place of the signature fields is refused with a problem', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'comity=("@path");x:A= ,'), maxLength: 60 }),
  )
  fc.assert(
    fc.property(text, text, (signatureInput, signature) => {
      assert.throws(() => accept({ ...requestFields, 'signature-input': signatureInput, signature }), Problem)
      assert.throws(() => accept({ ...signed, signature }), Problem)
    }),
    { numRuns: 200 },
  )
})

test('a signed request sent as another one is refused', () => {
  for (const control of [
    { method: 'PUT' },
    { method: 'post' },
    { authority: 'other.example' },
    { path: '/x/athletes/2' },
    { path: '/x/athletes/%31' },
    { query: '?' },
    { query: '?sport=rowing&' },
  ]) {
    const isInvalid = (error: unknown) => error instanceof Problem && error.code === 'signature-invalid'
    assert.throws(() => accept(signed, control), isInvalid, JSON.stringify(control))
  }
  for (const name of Object.keys(requestFields).filter((field) => field !== 'content-length')) {
    const { [name]: _, ...without } = signed
    assert.throws(() => accept(without), Problem, name)
  }
})

test('hostile fields are refused in bounded time', () => {
  const tail = input.slice(input.indexOf(';created'))
  const hostile = [
    `comity=(${'"content-digest";sf '.repeat(800)})${tail}`,
    `comity=${'('.repeat(16_000)}`,
    `comity=("@method"${';a'.repeat(8000)})${tail}`,
    Array.from({ length: 2000 }, (_, i) => `a${i}=()`).join(', '),
    `comity=()${' '.repeat(16_000)}x`,
    `comity=();keyid="${'\\"'.repeat(8000)}"`,
    '"'.repeat(1_000_000),
  ]
  const before = process.cpuUsage()
  for (const value of hostile) {
    assert.throws(() => accept({ ...signed, 'signature-input': value }), Problem)
    assert.throws(() => accept({ ...signed, signature: value }), Problem)
  }
  assert.ok(process.cpuUsage(before).user < 3_000_000)
})
