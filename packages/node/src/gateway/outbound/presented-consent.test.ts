import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { delegated, rootClaims, rootToken } from '@comity/core/consent-token/test-chain'
import { presentedConsent } from './presented-consent.ts'

const { consent, sub } = rootClaims()

test('a token and a chain name the consent and the person as their first bearer knows them', () => {
  for (const chain of [rootToken(), delegated(), delegated()]) {
    assert.deepEqual(presentedConsent(consentAuthorization(chain)), { id: consent.id, subject: sub })
  }
})

test('other credentials name none, and what only looks like a token is refused', () => {
  assert.equal(presentedConsent(undefined), undefined)
  assert.equal(presentedConsent('Bearer abc'), undefined)
  for (const wrong of ['Comity abc', `comity ${rootToken()}`, `Comity ${rootToken()}~`]) {
    assert.throws(() => presentedConsent(wrong), { code: 'consent-token-invalid' })
  }
})

test('of many tokens each names its own', () => {
  for (const round of [1, 2]) {
    for (let number = 0; number < 1_100; number += 100) {
      const id = `urn:uuid:${number}`
      const chain = consentAuthorization(rootToken({ consent: { ...consent, id } }))
      assert.equal(presentedConsent(chain)?.id, id, `round ${round}`)
    }
  }
})
