/** A whole exchange made with the real parts, for the tests of evidence. */
import { signCheckpoint } from '../audit-log/checkpoint.ts'
import { eventCommitment, eventEntry } from '../audit-log/event-commitment.ts'
import { inclusionProof, leafHash, treeHead, type TreeNode } from '../audit-log/merkle.ts'
import { ed25519NoteSigner } from '../audit-log/note.ts'
import { formatTlogProof } from '../audit-log/tlog-proof.ts'
import { formatVerifierKey, verifierKey } from '../audit-log/verifier-key.ts'
import { decodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { sha256, sha256Text } from '../crypto/crypto-node.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { contentDigest } from '../http-signatures/content-digest.ts'
import { signRequest, type RequestSigning } from '../http-signatures/profile-request.ts'
import { signResponse } from '../http-signatures/profile-response.ts'
import { createdAt, keyPair, nonce, requestWith, responseWith, type Fields } from '../http-signatures/test-messages.ts'
import type { DidDocument } from '../identity/did-document.ts'
import { exchangeEventBody, type ExchangeEvent } from './event.ts'
import type { EvidenceBundle } from './evidence-bundle.ts'
import { signReceipt, type ReceiptClaims } from './receipt.ts'

export const holderDid = 'did:web:federation.example'
export const recipientDid = 'did:web:lab.example'
export const holderKeyid = `${holderDid}#assert-1`
export const recipientKeyid = `${recipientDid}#auth-1`
export const logOrigin = 'federation.example/log'

export const holder = keyPair('ed25519')
export const recipient = keyPair('ecdsa-p256-sha256')
export const logKey = keyPair('ed25519')
export const logVerifierKey = formatVerifierKey(verifierKey(logOrigin, logKey.signing.publicJwk))

const method = (id: string, key: SigningKey) => ({
  id,
  type: 'JsonWebKey',
  controller: id.slice(0, id.indexOf('#')),
  publicKeyJwk: { ...key.publicJwk },
})

export const holderDocument: DidDocument = {
  id: holderDid,
  verificationMethod: [method(holderKeyid, holder.signing)],
  assertionMethod: [holderKeyid],
  service: [{ id: '#log', type: 'ComityLog', serviceEndpoint: 'https://x.example/log', verifierKey: logVerifierKey }],
}
export const recipientDocument: DidDocument = {
  id: recipientDid,
  verificationMethod: [method(recipientKeyid, recipient.signing)],
  authentication: [recipientKeyid],
}

export const exchangeId = '0190a7b0-0000-7000-8000-000000000001'
const content = Buffer.from('{"id":1,"sport":"rowing"}')
const salt = sha256('salt')

/** What the two sides did; a test changes one thing and signs it all again. */
export interface ExchangeChanges {
  readonly claims?: Partial<ReceiptClaims>
  readonly event?: Partial<ExchangeEvent>
  readonly requestFields?: Fields
  readonly signing?: Partial<RequestSigning>
  readonly responseFields?: Fields
  /** The answer was streamed: its fields are trailers. */
  readonly streamed?: boolean
}

/** A bundle with every part. */
export type WholeBundle = {
  readonly [Part in Exclude<keyof EvidenceBundle, 'erased' | 'sealed'>]-?: NonNullable<EvidenceBundle[Part]>
}

/** The evidence of an exchange, all signatures good. */
export function exchangeEvidence(changes: ExchangeChanges = {}): WholeBundle {
  const request = requestOf(changes)
  const requestHash = sha256Text(request.made.base, 'base64url')
  const event = eventOf(requestHash, changes)
  const entry = eventEntry(eventCommitment(event, salt))
  const claims = { ...claimsOf(requestHash, encodeBase64url(leafHash(entry))), ...changes.claims }
  const receipt = signReceipt(claims, holder.signing, holderKeyid)
  const fields = { 'content-digest': contentDigest(content), 'comity-receipt': receipt, ...changes.responseFields }
  const answered = { parts: request.parts, signatureHeader: request.made.signature }
  const signing = { key: holder.signing, keyid: holderKeyid, createdAt: createdAt + 2 }
  const { streamed = false } = changes
  const parts = streamed ? { ...responseWith({}), trailer: responseWith(fields).header } : responseWith(fields)
  const response = signResponse(parts, answered, signing)
  return {
    type: 'comity-exchange-evidence',
    version: 1,
    request: { base: request.made.base, signature: bytesOf(request.made.signature) },
    response: { base: response.base, signature: bytesOf(response.signature) },
    receipt,
    event: { body: event, salt: encodeBase64url(salt) },
    log: { verifierKey: logVerifierKey, proof: proofOf(entry) },
    documents: [{ ...holderDocument }, { ...recipientDocument }],
  }
}

function requestOf({ requestFields = { 'comity-purpose': 'https://w3id.org/dpv#X' }, signing }: ExchangeChanges) {
  const parts = requestWith(requestFields, { method: 'GET' })
  const times = { createdAt, expiresAt: createdAt + 60 }
  const made = signRequest(parts, { key: recipient.signing, keyid: recipientKeyid, ...times, nonce, ...signing })
  return { parts, made }
}

const common = { time: (createdAt + 1) * 1000 + 234, status: 200 }
const contentHash = sha256Text(content, 'base64url')

function eventOf(requestHash: string, { event }: ExchangeChanges): string {
  const product = { product: 'athletes', version: '1.0.0', operation: 'getAthlete', path: '/athletes/{id}' }
  const hashes = { requestHash, responseHash: contentHash }
  const who = { id: exchangeId, role: 'holder', outcome: 'allowed', peer: recipientDid, method: 'GET' } as const
  return exchangeEventBody({ ...who, ...product, ...common, ...hashes, durationMs: 3.5, ...event })
}

function claimsOf(req: string, leaf: string): ReceiptClaims {
  const who = { iss: holderDid, aud: recipientDid, jti: exchangeId, iat: createdAt + 1 }
  const product = { prd: 'athletes', ver: '1.0.0', op: 'getAthlete' }
  return { ...who, ...common, ...product, req, res: contentHash, log: logOrigin, leaf }
}

function proofOf(entry: Uint8Array): string {
  const leaves = Array.from({ length: 13 }, (_, i) => leafHash(i === 5 ? entry : Uint8Array.of(i)))
  const rootHash = treeHead(leaves)
  const checkpoint = signCheckpoint({ origin: logOrigin, size: leaves.length, rootHash }, [
    ed25519NoteSigner(logOrigin, logKey.signing),
  ])
  const hashAt = ({ level, index }: TreeNode) => treeHead(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  return formatTlogProof({ index: 5, hashes: inclusionProof(5, leaves.length, hashAt), checkpoint })
}

const bytesOf = (signatureField: string) => encodeBase64url(decodeBase64(signatureField.slice('comity=:'.length, -1)))
