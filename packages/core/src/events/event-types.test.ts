import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementTerminatedPayload,
  consentChangedPayload,
  consentDelegatedPayload,
  dutyImposedPayload,
  quotaDecidedPayload,
} from './event-types.ts'

const consent = { consent: 'urn:uuid:1', holder: 'did:web:a.example' }
const delegation = { ...consent, delegation: 'd', delegate: 'did:web:b.example', token: 'x' }
const duty = { duty: 'd', kind: 'delete', holder: 'did:web:a.example', subject: 'ps_a' }
const decided = { request: 'r', limit: 'daily', state: 'granted', units: 3 }

/** Each payload with a time, and the time's name. */
const timed = [
  ['agreement-terminated', agreementTerminatedPayload, { agreement: 'urn:uuid:1', hash: 'h', reason: 'r' }, 'time'],
  ['consent-changed', consentChangedPayload, { ...consent, state: 'withdrawn', rev: 1, seq: 4 }, 'time'],
  ['consent-delegated', consentDelegatedPayload, delegation, 'until'],
  ['duty-imposed', dutyImposedPayload, duty, 'due'],
  ['quota-decided', quotaDecidedPayload, { ...decided, until: 1 }, 'time'],
  ['quota-decided', quotaDecidedPayload, { ...decided, time: 1 }, 'until'],
] as const

for (const [type, schema, payload, name] of timed)
  test(`\`${name}\` of ${type} is a time until the end of the year 9999`, () => {
    const isRead = (time: unknown) => schema.safeParse({ ...payload, [name]: time }).success
    for (const time of [0, 1_718_000_001_234, Date.parse('9999-12-31T23:59:59.999Z')])
      assert.ok(isRead(time), `${time}`)
    const wrong = [-1, 1.5, '2026-01-01T00:00:00Z', Date.parse('+010000-01-01T00:00:00Z'), 9e15, Infinity]
    for (const time of wrong) assert.ok(!isRead(time), `${time}`)
  })
