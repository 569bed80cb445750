import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killUnderConsent } from './consent-kill.ts'

test('a holder that is killed under consented load has counted and logged all that it answered', async () => {
  const { answered, uses } = await killUnderConsent(2, 60)
  assert.ok(answered > 5 && uses >= answered, `${answered} of ${uses}`)
})
