/** Evidence of an exchange about a person who has been erased since. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EvidenceBundle } from './evidence-bundle.ts'
import { verifyEvidence } from './evidence.ts'
import { exchangeEvidence, holderDocument, recipientDocument } from './test-exchange.ts'

const { request, response, event, ...rest } = exchangeEvidence()
const whole = { request, response, event }
const own = { documents: [holderDocument, recipientDocument] }
const parts = ['request', 'response', 'event'] as const

/** The bundle without these parts, and saying so. */
function without(erased: readonly (typeof parts)[number][]): EvidenceBundle {
  const kept = Object.fromEntries(parts.filter((part) => !erased.includes(part)).map((part) => [part, whole[part]]))
  return { ...rest, ...kept, ...(erased.length > 0 && { erased: [...erased] }) }
}

const namesOf: Readonly<Record<(typeof parts)[number], readonly string[]>> = {
  request: ['request-signature', 'request-hash', 'request-receipt', 'times', 'response-request'],
  response: ['response-signature', 'response-request', 'response-receipt', 'response-content'],
  event: ['event-leaf', 'event-receipt'],
}

test('receipt and log entry verify without the text, whose checks are erased and neither passed nor failed', () => {
  const report = verifyEvidence(without(parts), own)
  const byState = Map.groupBy(report.checks, ({ ok, erased }) => (erased ? 'erased' : ok ? 'passed' : 'failed'))
  assert.deepEqual([...byState.keys()].toSorted(), ['erased', 'passed'])
  assert.deepEqual(
    byState.get('passed')?.map(({ name }) => name),
    ['bundle', 'receipt-signature', 'log-key', 'log-inclusion'],
  )
  for (const { ok, detail } of byState.get('erased') ?? []) {
    assert.equal(ok, false)
    assert.match(detail, /was erased with the person/)
  }
  assert.ok(report.ok)
  assert.ok(report.assumptions.includes('what was erased is known only as far as the receipt states it'))
})

test('whatever was erased, exactly the checks that need it are not made', () => {
  fc.assert(
    fc.property(fc.subarray([...parts]), (erased) => {
      const report = verifyEvidence(without(erased), own)
      const names = report.checks.filter((check) => check.erased).map(({ name }) => name)
      assert.deepEqual(new Set(names), new Set(erased.flatMap((part) => namesOf[part])))
      assert.equal(new Set(report.checks.map(({ name }) => name)).size, 14)
      assert.ok(report.checks.every(({ ok, erased: isErased }) => ok !== (isErased === true)))
      assert.ok(report.ok)
    }),
  )
})

test('what is there is checked, whatever the bundle says of the rest', () => {
  const forged = { ...without(['request', 'event']), receipt: exchangeEvidence({ claims: { status: 403 } }).receipt }
  assert.equal(verifyEvidence(forged, own).ok, false)
  const wrongProof = { ...without(parts), log: { ...rest.log, proof: rest.log.proof.replace('index 5', 'index 4') } }
  assert.equal(verifyEvidence(wrongProof, own).ok, false)
})

test('a part that is there cannot be said to be erased', () => {
  for (const part of parts) {
    const report = verifyEvidence({ ...rest, ...whole, erased: [part] }, own)
    assert.deepEqual([report.ok, report.checks.map(({ name }) => name)], [false, ['bundle']])
  }
  for (const erased of [[], ['receipt'], ['log']]) {
    assert.equal(verifyEvidence({ ...rest, ...whole, erased }, own).ok, false)
  }
})
