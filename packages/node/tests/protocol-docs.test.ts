/** The samples in `docs/protocols` are real: they parse and verify. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { agreementHash } from '@comity/core/agreement/agreement'
import { readAgreementTerms } from '@comity/core/agreement/agreement-policy'
import { parseAgreementEnvelope, verifyAgreement } from '@comity/core/agreement/agreement-signature'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { dutyKinds, dutyOutcomes, fulfils, signDutyReceipt } from '@comity/core/duties/duty-receipt'
import type { DutyReceiptClaims } from '@comity/core/duties/duty-receipt'
import * as eventTypes from '@comity/core/events/event-types'
import { agreementTerminated, agreementTerminatedPayload } from '@comity/core/events/event-types'
import { didOfKeyId } from '@comity/core/identity/did'
import { didKeyPublicKey } from '@comity/core/identity/did-key'

const pageOf = (name: string) => readFileSync(new URL(`../../../docs/protocols/${name}`, import.meta.url), 'utf8')
const firstJson = (name: string): unknown => JSON.parse(/```json\n([\s\S]*?)```/.exec(pageOf(name))?.[1] ?? '')

/** Cells of the rows of a page's tables, whose first is code. */
const rowsOf = (name: string): string[][] =>
  [...pageOf(name).matchAll(/^\| `.*\|$/gm)].map(([row]) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
const codesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '')

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

test('the table of events has each event that nodes tell, with what it carries', () => {
  const told = rowsOf('events.md').filter(([uri]) => uri?.startsWith('`urn:comity:event:'))
  const uris = Object.entries(eventTypes).filter(([, value]) => typeof value === 'string')
  assert.deepEqual(told.map(([uri]) => codesIn(uri)[0]).toSorted(), uris.map(([, uri]) => uri).toSorted())
  for (const [name, uri] of uris) {
    const payload = (eventTypes as Record<string, unknown>)[`${name}Payload`] as { shape: object } | undefined
    if (payload === undefined) continue
    const row = told.find(([cell]) => cell === `\`${String(uri)}\``)
    assert.deepEqual(codesIn(row?.[1]).toSorted(), Object.keys(payload.shape).toSorted(), String(uri))
  }
})

test('the page on duties has each kind with what fulfils it, and a receipt that can be signed', () => {
  const rows = rowsOf('duties.md').filter(([kind]) => codesIn(kind).some((code) => dutyKinds.includes(code as never)))
  assert.deepEqual(rows.flatMap(([kind]) => codesIn(kind)).toSorted(), [...dutyKinds].toSorted())
  for (const [kinds, , outcomes] of rows)
    for (const kind of codesIn(kinds))
      assert.deepEqual(
        codesIn(outcomes).toSorted(),
        dutyOutcomes.filter((outcome) => fulfils(kind as never, outcome)).toSorted(),
      )
  const claims = firstJson('duties.md') as DutyReceiptClaims
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  assert.match(signDutyReceipt(claims, { keyid: `${claims.iss}#k`, key }), /^eyJ/)
})
