/** What may be kept, for how long, and when it may be used. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { confirmedForMs, decideStore, decideUse, maxReplicaBytes, type StoreQuestion } from './replica-rules.ts'
import type { Replica } from './replica.ts'

const nowMs = Date.UTC(2026, 10, 1)
const hourMs = 3_600_000
const purpose = 'https://w3id.org/dpv#ScientificResearch'

const scope = (changes: Partial<ConsentScope> = {}): ConsentScope => ({
  grant: 'g1',
  effect: 'permit',
  purposes: [purpose],
  actions: ['read'],
  modes: ['store'],
  products: ['athletes'],
  domains: ['identity'],
  ...changes,
})

const consent = { state: 'active', hash: 'h', expiresMs: nowMs + 100 * hourMs }

const question = (scopes: readonly ConsentScope[], changes: Partial<StoreQuestion> = {}): StoreQuestion => ({
  status: 200,
  bytes: 10,
  cacheControl: undefined,
  product: 'athletes',
  purpose,
  consent: { ...consent, scopes },
  nowMs,
  ...changes,
})

const reasonOf = (asked: StoreQuestion) => {
  const verdict = decideStore(asked)
  return verdict.allowed ? 'kept' : verdict.reason
}
const untilOf = (...scopes: ConsentScope[]) => {
  const verdict = decideStore(question(scopes))
  assert.ok(verdict.allowed)
  return verdict.untilMs
}

describe('what is received', () => {
  test('is kept where every grant that may cover the call says so', () => {
    assert.equal(reasonOf(question([scope()])), 'kept')
    assert.equal(reasonOf(question([scope({ modes: ['view'] })])), 'mode-not-granted')
    assert.equal(reasonOf(question([scope({ modes: undefined })])), 'mode-not-granted')
    assert.equal(reasonOf(question([scope(), scope({ grant: 'g2', modes: ['view'] })])), 'mode-not-granted')
    assert.equal(reasonOf(question([])), 'mode-not-granted')
  })

  test('is not kept by the word of a grant for another product or purpose, nor hindered by one', () => {
    assert.equal(reasonOf(question([scope({ products: ['results'] })])), 'mode-not-granted')
    assert.equal(reasonOf(question([scope({ purposes: ['https://w3id.org/dpv#Marketing'] })])), 'mode-not-granted')
    assert.equal(reasonOf(question([scope({ effect: 'deny' })])), 'mode-not-granted')
    assert.equal(reasonOf(question([scope(), scope({ products: ['results'], modes: [] })])), 'kept')
  })

  test('under a consent that does not stand is not kept', () => {
    for (const state of ['paused', 'withdrawn', 'expired', 'superseded'])
      assert.equal(reasonOf(question([], { consent: { ...consent, state, scopes: [scope()] } })), 'consent-inactive')
    const over = { ...consent, expiresMs: nowMs, scopes: [scope()] }
    assert.equal(reasonOf(question([], { consent: over })), 'consent-inactive')
  })

  test('is not kept when it is too large, no answer, or marked `no-store`', () => {
    const changed = (changes: Partial<StoreQuestion>) => reasonOf(question([scope()], changes))
    assert.equal(changed({ bytes: maxReplicaBytes + 1 }), 'too-large')
    assert.equal(changed({ status: 404 }), 'not-an-answer')
    assert.equal(changed({ status: 206 }), 'not-an-answer')
    assert.equal(changed({ cacheControl: 'private, No-Store' }), 'no-store')
    assert.equal(changed({ cacheControl: 'private, max-age=0' }), 'kept')
  })

  test('is kept until the earliest end that any grant or the consent names', () => {
    assert.equal(untilOf(scope()), consent.expiresMs)
    assert.equal(untilOf(scope({ retention: { for: 'PT2H', onWithdrawal: 'delete' } })), nowMs + 2 * hourMs)
    const until = new Date(nowMs + hourMs).toISOString()
    assert.equal(
      untilOf(
        scope({ retention: { for: 'PT2H', onWithdrawal: 'delete' } }),
        scope({ grant: 'g2', retention: { until, onWithdrawal: 'delete' } }),
      ),
      nowMs + hourMs,
    )
    assert.equal(untilOf(scope({ retention: { for: 'P9Y', onWithdrawal: 'delete' } })), consent.expiresMs)
    const past = new Date(nowMs).toISOString()
    assert.equal(reasonOf(question([scope({ retention: { until: past, onWithdrawal: 'delete' } })])), 'retention-over')
  })

  test('about nobody is kept without an end', () => {
    assert.deepEqual(decideStore(question([], { consent: undefined })), { allowed: true, untilMs: undefined })
  })
})

const replica: Replica = {
  id: 'r',
  holder: 'did:web:holder.example',
  product: 'athletes',
  version: '1',
  operation: 'athlete',
  agreement: 'a',
  purpose,
  held: 'c',
  consent: 'c',
  consentHash: 'h',
  subject: 's',
  exchange: 'x',
  fetchedMs: nowMs,
  validatedMs: nowMs,
  confirmedMs: nowMs,
  untilMs: nowMs + hourMs,
  sealed: 'sealed',
  own: undefined,
}

const use = (changes: Partial<Replica> = {}, more: Partial<Parameters<typeof decideUse>[0]> = {}) => {
  const asked = { replica: { ...replica, ...changes }, consent, hasAgreement: true, maxAgeMs: hourMs, nowMs, ...more }
  const verdict = decideUse(asked)
  return verdict.allowed ? 'used' : verdict.reason
}

describe('what is kept', () => {
  test('is used while everything holds, and not when one thing does not', () => {
    assert.equal(use(), 'used')
    assert.equal(use({ sealed: '' }), 'emptied')
    assert.equal(use({ untilMs: nowMs }), 'retention-over')
    assert.equal(use({}, { hasAgreement: false }), 'agreement-ended')
    assert.equal(use({}, { consent: undefined }), 'consent-inactive')
    assert.equal(use({}, { consent: { ...consent, state: 'paused' } }), 'consent-inactive')
    assert.equal(use({}, { consent: { ...consent, expiresMs: nowMs } }), 'consent-inactive')
    assert.equal(use({}, { consent: { ...consent, hash: 'other' } }), 'consent-changed')
    assert.equal(use({}, { maxAgeMs: 0 }), 'used')
    assert.equal(use({ validatedMs: nowMs - 1 }, { maxAgeMs: 0 }), 'stale')
  })

  test('is not used once the holder was not heard for longer than a token lives', () => {
    assert.equal(use({ confirmedMs: nowMs - confirmedForMs }), 'used')
    assert.equal(use({ confirmedMs: nowMs - confirmedForMs - 1 }), 'unconfirmed')
  })

  test('is not used after the clock was set back', () => {
    assert.equal(use({ confirmedMs: nowMs + 1 }), 'unconfirmed')
    assert.equal(use({ validatedMs: nowMs + 1 }), 'stale')
  })

  test('is never used longer than retention, consent, word and age allow, whatever they are', () => {
    const span = fc.integer({ min: -hourMs, max: hourMs })
    fc.assert(
      fc.property(
        fc.tuple(span, span, span, span, fc.nat(hourMs)),
        ([until, expires, confirmed, validated, maxAgeMs]) => {
          const changes = { untilMs: nowMs + until, confirmedMs: nowMs + confirmed, validatedMs: nowMs + validated }
          const verdict = use(changes, { maxAgeMs, consent: { ...consent, expiresMs: nowMs + expires } })
          const mayBeUsed =
            until > 0 &&
            expires > 0 &&
            confirmed <= 0 &&
            -confirmed <= confirmedForMs &&
            validated <= 0 &&
            -validated <= maxAgeMs
          assert.equal(verdict === 'used', mayBeUsed)
        },
      ),
      { numRuns: 200 },
    )
  })
})
