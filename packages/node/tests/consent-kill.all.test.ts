import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killUnderConsent } from './consent-kill.ts'

test(
  'a holder that is killed 20 times under consented load never gives more than was allowed',
  { timeout: 300_000 },
  async () => {
    const { answered, uses } = await killUnderConsent(20, 800)
    assert.ok(answered > 100 && uses >= answered, `${answered} of ${uses}`)
  },
)
