/** After an exchange both sides, and nobody else, can prove to a stranger what was asked and answered. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { openCheckpoint } from '@comity/core/audit-log/checkpoint'
import { eventCommitment, eventEntry } from '@comity/core/audit-log/event-commitment'
import { leafHash, verifyInclusion } from '@comity/core/audit-log/merkle'
import { ed25519NoteVerifier } from '@comity/core/audit-log/note'
import { parseTlogProof } from '@comity/core/audit-log/tlog-proof'
import { parseVerifierKey } from '@comity/core/audit-log/verifier-key'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { checkReceiptMatchesEvent, parseExchangeEvent } from '@comity/core/exchange/event'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import { parseReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { adminOf } from './admin-call.ts'
import { send, signCall, type CallDraft } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

interface Proof {
  readonly index: number
  readonly proof: string
  readonly body: string
  readonly salt: string
}

describe('the evidence of an exchange', () => {
  let network: TestNetwork
  const exchanges: Record<string, { claims: ReceiptClaims; ownId: string; provenAfterMs: number }> = {}
  before(async () => {
    network = await startTestNetwork()
    await network.agree({ operations: ['getItem'] })
    exchanges['allowed'] = await exchange('/holder/items/items/7', 200)
    exchanges['denied'] = await exchange('/holder/items/items', 403)
  })
  after(() => network[Symbol.asyncDispose]())

  async function exchange(path: string, status: number) {
    const answer = await fetch(network.recipient.local(path), { headers: { 'comity-purpose': testPurpose } })
    assert.equal(answer.status, status, await answer.text())
    const answeredMs = performance.now()
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    await proofOf(claims.jti)
    const provenAfterMs = performance.now() - answeredMs
    return { claims, ownId: answer.headers.get('comity-exchange') ?? '', provenAfterMs }
  }

  const askForProof = (id: string, changes: Partial<CallDraft> = {}) => {
    const call = signCall(network, { path: `/receipts/${id}/proof`, headers: {}, ...changes })
    return send(network.holder, call).then((answer) => ({ call, answer }))
  }

  async function proofOf(id: string): Promise<Proof> {
    for (;;) {
      const { answer } = await askForProof(id)
      if (answer.status === 200) return JSON.parse(answer.body.toString()) as Proof
      assert.equal(answer.status, 503, answer.body.toString())
      assert.match(answer.body.toString(), /"code":"proof-pending"/)
      assert.ok(Number(answer.headers.get('retry-after')) >= 1)
      await sleep(100)
    }
  }

  for (const name of ['allowed', 'denied']) {
    test(`is provable to the recipient within ten seconds: ${name}`, async () => {
      const { claims, provenAfterMs } = exchanges[name] as (typeof exchanges)[string]
      const { index, proof, body, salt } = await proofOf(claims.jti)
      assert.ok(provenAfterMs < 10_000)
      const entry = eventEntry(eventCommitment(body, decodeBase64url(salt)))
      assert.equal(encodeBase64url(leafHash(entry)), claims.leaf)
      assert.deepEqual(checkReceiptMatchesEvent(claims, parseExchangeEvent(body)), [])
      const { hashes, checkpoint: note } = parseTlogProof(proof)
      const vkey = parseVerifierKey(network.holder.running.parts.auditLog.verifierKey)
      const { checkpoint } = openCheckpoint(note, ed25519NoteVerifier(vkey))
      const { size, rootHash: root } = checkpoint
      verifyInclusion({ index, size, leafHash: decodeBase64url(claims.leaf), root, proof: hashes })
    })

    for (const side of ['holder', 'recipient'] as const) {
      test(`is a whole that verifies offline, from the node of the ${side}: ${name}`, async () => {
        const { claims, ownId } = exchanges[name] as (typeof exchanges)[string]
        for (const id of side === 'recipient' ? [ownId, claims.jti] : [claims.jti]) {
          const { json } = await (await adminOf(network[side])).call({ path: `/v1/exchanges/${id}/evidence` })
          const { evidence, missing } = json as { evidence: EvidenceBundle; missing: string[] }
          // A holder does not keep its own signature over the answer: the receipt says the same.
          if (side === 'recipient') assert.ok(evidence.response)
          assert.deepEqual(missing, [])
          const report = verifyEvidence(evidence)
          assert.deepEqual(
            report.checks.filter(({ ok }) => !ok),
            [],
          )
          assert.ok(report.ok)
          assert.equal(report.claims?.status, claims.status)
          assert.deepEqual(report.claims, claims)
        }
      })
    }
  }

  test('is shown to nobody else, as if it did not exist', async () => {
    const { claims } = exchanges['allowed'] as (typeof exchanges)[string]
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const stranger = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
    const foreign = await askForProof(claims.jti, { as: stranger })
    const made = await askForProof('0190a7b0-0000-7000-8000-000000000001')
    const problems = [foreign, made].map(({ answer }) => {
      assert.equal(answer.status, 404)
      const { requestId: _, ...problem } = JSON.parse(answer.body.toString()) as Record<string, unknown>
      return problem
    })
    assert.deepEqual(problems[0], problems[1])
    assert.equal(problems[0]?.['code'], 'receipt-unknown')
  })

  test('is not shown to who does not sign', async () => {
    const { claims } = exchanges['allowed'] as (typeof exchanges)[string]
    const { host } = new URL(network.holder.url)
    const target = `/receipts/${claims.jti}/proof`
    const answer = await send(network.holder, { method: 'GET', target, headers: [['host', host]], body: '' })
    assert.equal(answer.status, 401)
    assert.match(answer.body.toString(), /"code":"signature-missing"/)
  })

  test('is asked for by a signed request that counts once', async () => {
    const { claims } = exchanges['allowed'] as (typeof exchanges)[string]
    const { call, answer } = await askForProof(claims.jti)
    assert.equal(answer.status, 200)
    const again = await send(network.holder, call)
    assert.match(again.body.toString(), /"code":"nonce-replayed"/)
  })

  test('of exchanges of others than these two is not told to the recipient either', async () => {
    const key = importSigningKey(generatePrivateJwk('ed25519'))
    const as = { keyid: didKeyId(didKeyOf(key.publicJwk)), key }
    const call = signCall(network, { as, path: '/x/open-items/items/7', headers: {} })
    const { headers } = await send(network.holder, call)
    const id = headers.get('comity-exchange') ?? ''
    const { answer } = await askForProof(id)
    assert.equal(answer.status, 404)
    assert.notEqual((await askForProof(id, { as })).answer.status, 404)
  })
})
