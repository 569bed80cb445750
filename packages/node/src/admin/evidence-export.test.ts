import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import {
  exchangeEvidence,
  exchangeId,
  holderDid,
  holderDocument,
  logVerifierKey,
  recipientDid,
  recipientDocument,
} from '@comity/core/exchange/test-exchange'
import type { DidDocument } from '@comity/core/identity/did-document'
import { Problem } from '@comity/core/problems'
import { createEvidenceExport, type EvidenceSources, type ExchangeProof } from './evidence-export.ts'
import type { ExchangeRecord } from './ports.ts'

const whole = exchangeEvidence()
const proof: ExchangeProof = { proof: whole.log.proof, ...whole.event }
const documents: Record<string, DidDocument> = { [holderDid]: holderDocument, [recipientDid]: recipientDocument }

const exchange: ExchangeRecord = {
  id: 'e1',
  exchangeId,
  role: 'recipient',
  peer: holderDid,
  receipt: whole.receipt,
  request: { ...whole.request },
  response: { ...whole.response },
  erased: false,
}

/** The recipient's view of the exchange. */
function sources(changes: Partial<EvidenceSources> = {}): EvidenceSources {
  return {
    did: recipientDid,
    verifierKey: 'the log of the recipient itself',
    findExchange: async (id) => (id === 'e1' ? exchange : undefined),
    loadProof: () => Promise.reject(new Error('the holder’s own log is not asked')),
    fetchProof: async (holder, id) => {
      assert.deepEqual([holder, id], [holderDid, exchangeId])
      return proof
    },
    fetchVerifierKey: () => Promise.reject(new Error('the document names it')),
    async resolveDocument(did) {
      const document = documents[did]
      if (document === undefined) throw new Problem('did-unresolvable', 'nobody')
      return document
    },
    sleep: async () => {},
    ...changes,
  }
}

test('a recipient’s evidence holds the holder’s proof, and verifies whole', async () => {
  const { id, evidence, missing } = await createEvidenceExport(sources())('e1')
  assert.equal(id, 'e1')
  assert.deepEqual(missing, [])
  assert.deepEqual(evidence, { ...whole, documents: [holderDocument, recipientDocument] })
  assert.ok(verifyEvidence(evidence).ok)
})

test('a holder’s evidence comes from its own log, by the event’s id', async () => {
  const asked: string[] = []
  const own = sources({
    did: holderDid,
    verifierKey: logVerifierKey,
    findExchange: async () => ({ ...exchange, role: 'holder', peer: recipientDid, response: undefined }),
    fetchProof: () => Promise.reject(new Error('nobody else is asked')),
    async loadProof(eventId) {
      asked.push(eventId)
      return proof
    },
  })
  const { evidence, missing } = await createEvidenceExport(own)('e1')
  assert.deepEqual([asked, missing], [['e1'], []])
  assert.ok(verifyEvidence(evidence).ok)
})

test('a proof that the next checkpoint will cover is waited for', async () => {
  let asked = 0
  const fetchProof = async () => {
    asked += 1
    if (asked < 3) throw new Problem('proof-pending', 'soon')
    return proof
  }
  const { missing } = await createEvidenceExport(sources({ fetchProof }))('e1')
  assert.deepEqual([asked, missing], [3, []])
})

test('without the holder the evidence lacks the log, says so, and what it holds verifies', async () => {
  const fetchProof = () => Promise.reject(new Problem('partner-unreachable', 'no connection'))
  const { evidence, missing } = await createEvidenceExport(sources({ fetchProof }))('e1')
  assert.deepEqual(missing, [`the proof from the log of \`${holderDid}\`: no connection`])
  assert.deepEqual([evidence.log, evidence.event], [undefined, undefined])
  assert.ok(verifyEvidence(evidence).ok)
})

test('a holder that always says `pending` does not keep the export waiting for ever', async () => {
  const fetchProof = () => Promise.reject(new Problem('proof-pending', 'soon'))
  const { missing } = await createEvidenceExport(sources({ fetchProof }))('e1')
  assert.equal(missing.length, 1)
})

test('a false proof from the holder does not spoil the receipt: it is left out and named', async () => {
  const other = exchangeEvidence({ event: { operation: 'deleteAthlete' } })
  const falseProofs: ExchangeProof[] = [
    { ...proof, body: other.event.body },
    { ...proof, proof: other.log.proof },
    { ...proof, proof: 'nonsense' },
    { ...proof, salt: 'AAAA' },
  ]
  for (const each of falseProofs) {
    const { evidence, missing } = await createEvidenceExport(sources({ fetchProof: async () => each }))('e1')
    assert.equal(evidence.log, undefined)
    assert.match(missing[0] ?? '', /does not hold/)
    assert.ok(verifyEvidence(evidence).ok)
  }
})

test('the log’s key of a participant whose document names none is asked of its node', async () => {
  const { service: _, ...bare } = holderDocument
  const resolveDocument = async (did: string) => (did === holderDid ? bare : recipientDocument)
  const fetchVerifierKey = async () => logVerifierKey
  const { evidence, missing } = await createEvidenceExport(sources({ resolveDocument, fetchVerifierKey }))('e1')
  assert.deepEqual([evidence.log?.verifierKey, missing], [logVerifierKey, []])
  assert.ok(verifyEvidence(evidence, { verifierKey: logVerifierKey }).ok)
})

test('a document that cannot be had is left out and named', async () => {
  const resolveDocument = async (did: string) => {
    if (did === holderDid) return holderDocument
    throw new Problem('did-unresolvable', 'gone')
  }
  const { evidence, missing } = await createEvidenceExport(sources({ resolveDocument }))('e1')
  assert.equal(evidence.documents.length, 1)
  assert.deepEqual(missing, [`the DID document of \`${recipientDid}\`: gone`])
})

test('there is no evidence of an exchange without a receipt, or of none', async () => {
  const bare = sources({ findExchange: async () => ({ ...exchange, receipt: undefined }) })
  await assert.rejects(createEvidenceExport(bare)('e1'), { code: 'receipt-unknown' })
  await assert.rejects(createEvidenceExport(sources())('e2'), { code: 'receipt-unknown' })
})

test('evidence of an exchange whose person was erased holds receipt and proof, and says what is gone', async () => {
  const { receipt, log } = whole
  const gone: ExchangeRecord = { ...exchange, request: undefined, response: undefined, erased: true }
  const erased = {
    findExchange: async () => gone,
    fetchProof: async () => ({ proof: log.proof, erased: true }) as const,
  }
  const { evidence, missing } = await createEvidenceExport(sources(erased))('e1')
  assert.deepEqual(missing, [])
  assert.deepEqual(evidence.erased, ['request', 'response', 'event'])
  assert.deepEqual([evidence.receipt, evidence.log?.proof], [receipt, log.proof])
  assert.ok(verifyEvidence(evidence).ok)
  const atHolder = { ...gone, role: 'holder' } as const
  const own = { did: holderDid, verifierKey: logVerifierKey, loadProof: erased.fetchProof }
  const told = await createEvidenceExport(sources({ ...own, findExchange: async () => atHolder }))('e1')
  assert.deepEqual(told.evidence.erased, ['request', 'event'])
  assert.ok(verifyEvidence(told.evidence).ok)
})

test('a holder’s evidence of a refused call about a person holds no request', async () => {
  const refused: ExchangeRecord = { ...exchange, request: undefined, response: undefined }
  const { evidence } = await createEvidenceExport(sources({ findExchange: async () => refused }))('e1')
  const { ok, assumptions } = verifyEvidence(evidence)
  assert.ok(ok && evidence.erased === undefined)
  assert.ok(assumptions.includes('the bundle holds no request: only the receipt says who asked'))
})
