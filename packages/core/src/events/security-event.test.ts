import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import fc from 'fast-check'
import { signCompactJws, verifyCompactJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { keyRotated } from './event-types.ts'
import { redeliveryDelayMs } from './redelivery.ts'
import {
  decideSecurityEvent,
  parseSecurityEvent,
  signSecurityEvent,
  type SecurityEventClaims,
} from './security-event.ts'

const iss = 'did:web:a.example'
const audience = 'did:web:b.example'
const signer = { keyid: `${iss}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
const claims: SecurityEventClaims = {
  iss,
  aud: audience,
  jti: '1',
  iat: 1_000,
  toe: 999,
  events: { [keyRotated]: { a: 1 } },
}
const invalid = { code: 'event-invalid' }
const sign = (value: unknown, header: Record<string, unknown> = { typ: 'secevent+jwt', kid: signer.keyid }) =>
  signCompactJws({ key: signer.key, header, payload: typeof value === 'string' ? value : JSON.stringify(value) })

test('a token is read as it was written, and verifies', () => {
  const parsed = parseSecurityEvent(signSecurityEvent(claims, signer))
  assert.deepEqual(parsed.claims, claims)
  assert.equal(parsed.keyid, signer.keyid)
  verifyCompactJws(parsed.jws, importVerifyingKey(signer.key.publicJwk))
})

test('refuses what is not a token of RFC 8417', () => {
  const wrong = [
    '',
    'a.b.c',
    sign(claims, { typ: 'JWT', kid: signer.keyid }),
    sign(claims, { kid: signer.keyid }),
    sign('[]'),
    sign(`{"iss":"${iss}",${JSON.stringify(claims).slice(1)}`),
    sign({ ...claims, events: {} }),
    sign({ ...claims, events: { [keyRotated]: 1 } }),
    sign({ ...claims, jti: undefined }),
    sign({ ...claims, iat: '1000' }),
    sign({ ...claims, iat: -1 }),
    sign({ ...claims, iss: 'https://a.example' }),
    sign({ ...claims, aud: [] }),
    sign({ ...claims, jti: 'x'.repeat(20_000) }),
  ]
  for (const text of wrong) assert.throws(() => parseSecurityEvent(text), invalid)
})

test('refuses a token whose key is not of its issuer', () => {
  for (const kid of ['did:web:c.example#key-1', iss, 'key-1', `${iss}?x#key-1`, undefined]) {
    assert.throws(() => parseSecurityEvent(sign(claims, { typ: 'secevent+jwt', kid })), invalid)
  }
})

test('no text makes the reader fail otherwise than by its problem', () => {
  const valid = signSecurityEvent(claims, signer)
  const mutated = fc
    .tuple(fc.nat(valid.length), fc.nat(5), fc.string({ maxLength: 4 }))
    .map(([at, drop, text]) => valid.slice(0, at) + text + valid.slice(at + drop))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        mutated,
        fc.jsonValue().map((value) => sign(value)),
      ),
      (text) => {
        try {
          parseSecurityEvent(text)
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === 'event-invalid', String(error))
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('refuses a token for somebody else, from the future, or older than the memory', () => {
  const facts = { audience, nowMs: 1_000_000, maxAgeSeconds: 500 }
  assert.equal(decideSecurityEvent(claims, facts), undefined)
  assert.equal(decideSecurityEvent({ ...claims, aud: ['did:web:c.example', audience] }, facts), undefined)
  assert.equal(decideSecurityEvent({ ...claims, aud: 'did:web:c.example' }, facts)?.err, 'invalid_audience')
  assert.equal(decideSecurityEvent({ ...claims, iat: 1_300 }, facts), undefined)
  assert.equal(decideSecurityEvent({ ...claims, iat: 1_301 }, facts)?.err, 'invalid_request')
  assert.equal(decideSecurityEvent({ ...claims, iat: 500 }, facts), undefined)
  assert.equal(decideSecurityEvent({ ...claims, iat: 499 }, facts)?.err, 'invalid_request')
})

test('the wait before another try grows, is spread, bounded, and never shorter than asked', () => {
  const attempt = fc.record({
    attempts: fc.integer({ min: 1, max: 10_000 }),
    retryAfterMs: fc.option(fc.integer({ min: -5, max: 1e12 }), { nil: undefined }),
    isRefused: fc.boolean(),
  })
  const day = 24 * 3_600_000
  fc.assert(
    fc.property(attempt, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failed, random) => {
      const delay = redeliveryDelayMs(failed, random)
      assert.ok(delay >= Math.min(failed.retryAfterMs ?? 0, day) && delay >= 200 && delay <= day + 3_600_000)
      if (failed.isRefused) assert.ok(delay >= 1_800_000)
    }),
    { numRuns: 200 },
  )
  assert.equal(redeliveryDelayMs({ attempts: 1 }, 0.5), 1_000)
  assert.equal(redeliveryDelayMs({ attempts: 4 }, 0.5), 8_000)
  assert.equal(redeliveryDelayMs({ attempts: 99 }, 0.5), 1_800_000)
})
