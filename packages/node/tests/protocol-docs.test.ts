/** The samples in `docs/protocols` are real: they parse and verify. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { agreementHash } from '@comity/core/agreement/agreement'
import { readAgreementTerms } from '@comity/core/agreement/agreement-policy'
import { parseAgreementEnvelope, verifyAgreement } from '@comity/core/agreement/agreement-signature'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { agreementTerminated, agreementTerminatedPayload } from '@comity/core/events/event-types'
import { didOfKeyId } from '@comity/core/identity/did'
import { didKeyPublicKey } from '@comity/core/identity/did-key'

const firstJson = (name: string): unknown => {
  const text = readFileSync(new URL(`../../../docs/protocols/${name}`, import.meta.url), 'utf8')
  return JSON.parse(/```json\n([\s\S]*?)```/.exec(text)?.[1] ?? '')
}

test('the sample agreement verifies and can be enforced', async () => {
  const envelope = parseAgreementEnvelope(firstJson('agreement.md'))
  await verifyAgreement(envelope, async (keyid) => importVerifyingKey(didKeyPublicKey(didOfKeyId(keyid))))
  const [permission] = readAgreementTerms(envelope.agreement).permissions
  assert.deepEqual(permission?.products, new Set(['athletes', 'results']))
  assert.equal(permission?.untilMs, Date.parse('2027-02-01T00:00:00Z'))
})

test('the sample event ends the sample agreement', () => {
  const { agreement } = parseAgreementEnvelope(firstJson('agreement.md'))
  const { iss, aud, events } = firstJson('events.md') as { iss: string; aud: string; events: Record<string, unknown> }
  const payload = agreementTerminatedPayload.parse(events[agreementTerminated])
  assert.deepEqual([iss, aud], [agreement.assigner, agreement.assignee])
  assert.deepEqual([payload.agreement, payload.hash], [agreement['@id'], agreementHash(agreement)])
})
