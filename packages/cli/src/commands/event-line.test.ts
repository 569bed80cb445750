import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { signSecurityEvent } from '@comity/core/events/security-event'
import { eventLine } from './event-line.ts'

const hash = 'W7m0GNVvQK9G6Vg3kq8n0JXh3e5lRj2y1uT4oP9sZ_A'
const lineOf = (event: Readonly<Record<string, unknown>> & { readonly type: string }) =>
  eventLine(event.type, JSON.stringify({ id: '01a2', time: 1_771_000_000_000, ...event }))

test('every event is told in words, without braces and hashes, whatever its type', () => {
  const step = { consent: 'urn:uuid:c', seq: 3, type: 'withdrawn', by: { id: 'ps_x', role: 'subject' }, prev: hash }
  const lines = [
    [{ type: 'admin', action: 'partner-add', target: 'lab', after: hash }, 'partner-add lab'],
    [{ type: 'admin', action: 'subject-link', target: hash }, `subject-link ${hash}`],
    [{ type: 'agreement-terminated', agreement: 'urn:uuid:a', hash, peer: 'did:web:lab.example', reason: 'over' },
      'urn:uuid:a did:web:lab.example over'],
    [{ type: 'consent', step, hash, recipient: 'did:web:lab.example' }, 'withdrawn urn:uuid:c did:web:lab.example'],
    [{ type: 'consent-held', consent: 'urn:uuid:c', state: 'active', rev: 1, hash }, 'consent urn:uuid:c state active rev 1'],
    [{ type: 'refusals', v: 1, fromMs: 1, untilMs: 2, counts: { 'key-unknown': 2, 'header-duplicated': 7 } },
      'key-unknown 2 header-duplicated 7'],
    [{ type: 'of-tomorrow', step: { type: 'x', name: 'a' }, list: ['b', 'c'], none: [], token: 'e'.repeat(300) },
      'step: name a list b,c'],
    [{ type: 'event-received', issuer: 'did:web:lab.example', tokenHash: hash }, 'from did:web:lab.example'],
  ] as const // prettier-ignore
  for (const [event, line] of lines) assert.equal(lineOf(event), line)
})

test('of what a partner told it is said what it was', () => {
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const events = { 'urn:comity:event:key-rotated': {} }
  const claims = { iss: 'did:web:lab.example', aud: 'did:web:us.example', jti: '1', iat: 1_771_000_000, events }
  const token = signSecurityEvent(claims, { key, keyid: 'did:web:lab.example#a' })
  assert.equal(lineOf({ type: 'event-received', issuer: claims.iss, token }), 'key-rotated from did:web:lab.example')
})
