/** The holder's side of an exchange as it is recorded: the event, the row beside it, the receipt's claims. What describes
 *  a person is sealed under that person's key; a refused call about a person keeps no word of whom it was about. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { apiKeyName } from '@comity/core/api-keys/api-key'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import type { ExchangeEvent, ExchangeOutcome } from '@comity/core/exchange/event'
import {
  compositeOutcome,
  compositeProduct,
  partsClaims,
  type ExchangePart,
} from '@comity/core/exchange/composite-parts'
import { fieldClaims, policyClaims } from '@comity/core/exchange/field-lists'
import type { ReceiptClaims } from '@comity/core/exchange/receipt'
import type { SqlValue, Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import { isIdentified, participantOf } from './calling-party.ts'
import { contentHash } from './content-hash.ts'
import type { Answer, InboundCall, PartOfCall } from './inbound-call.ts'
import { claimsOfSealed, openingsRow } from './sealing-record.ts'

export const hashOf = (data: Uint8Array | string): string => sha256Text(data, 'base64url')

/** The facts of an inbound call that are known so far. */
export function eventOf(call: InboundCall, outcome: ExchangeOutcome): ExchangeEvent {
  return {
    id: call.id,
    role: 'holder',
    outcome,
    time: call.receivedAtMs,
    peer: participantOf(call),
    key: call.client?.keyId,
    product: call.product?.id,
    version: call.product?.version,
    operation: call.operation?.operationId,
    method: call.request.method,
    path: call.operation?.template,
    agreement: call.agreementId,
    purpose: call.purpose,
    ...(call.consent && consentFacts(call.consent)),
    reference: call.resolved?.issuedBy,
    ...policyFacts(call),
    sealed: claimsOfSealed(call.sealing),
    requestHash: isIdentified(call) ? hashOf(requestBase(call)) : undefined,
    upstreamMs: call.upstreamMs,
  }
}

/** What the caller signed; of a call with a key that was presented what it would have signed. */
function requestBase({ signature, unsignedBase }: InboundCall): string {
  return signature?.base ?? unsignedBase ?? ''
}

function consentFacts({ consent, via }: NonNullable<InboundCall['consent']>): Pick<ExchangeEvent, 'consent' | 'via'> {
  return { consent, ...(via.length > 0 && { via }) }
}

/** Where no set is in force, nobody decided. */
function policyFacts({ policy }: InboundCall): Pick<ExchangeEvent, 'policies' | 'policyVersion'> {
  if (policy === undefined || policy.verdict.version === 0) return {}
  return { policies: policy.verdict.policies, policyVersion: policy.verdict.version }
}

/** A refusal is one before anything has left; an answer that was cut off has failed, whatever the reason. */
export function outcomeOf({ problem, answer, parts }: InboundCall): 'allowed' | 'denied' | 'failed' {
  if (parts !== undefined) return compositeOutcome(parts.map(({ call }) => ({ outcome: outcomeOf(call) })))
  if (problem === undefined) return 'allowed'
  return problem.status >= 500 || answer?.left !== undefined ? 'failed' : 'denied'
}

/** True when data about a person leaves with the answer: such an answer is a use of the consent. */
export function isReleased(call: InboundCall, answer: Answer): boolean {
  return call.consent !== undefined && carriesData(call, answer)
}

function carriesData({ referral, problem }: InboundCall, { status, left }: Answer): boolean {
  if (left !== undefined) return left.bytes > 0
  return referral === undefined && problem === undefined && status < 400
}

/** True when labelled fields may be in the answer. */
function hasFields(call: InboundCall, answer: Answer): boolean {
  return call.operation?.data?.answersFields === true && carriesData(call, answer)
}

/** The event of a call that has its answer. */
export function answeredEvent(call: InboundCall, answer: Answer, nowMs: number): ExchangeEvent {
  return { ...answeredFacts(call, answer, nowMs), responseHash: answer.left?.hash ?? contentHash(answer.body) }
}

function answeredFacts(call: InboundCall, answer: Answer, nowMs: number): ExchangeEvent {
  const { release } = call
  return {
    ...eventOf(call, outcomeOf(call)),
    ...(release && hasFields(call, answer) && { released: release.released, withheld: release.withheld }),
    parts: call.parts?.map((part) => exchangePart(part, nowMs)),
    status: answer.status,
    problem: call.problem?.code,
    streamed: answer.left && { bytes: answer.left.bytes, rows: answer.left.rows },
    durationMs: Math.max(0, nowMs - call.receivedAtMs),
  }
}

/** What the log says of a part. */
export function exchangePart({ name, call, answer, hash }: PartOfCall, nowMs: number): ExchangePart {
  const event = answeredFacts(call, answer, nowMs)
  return {
    name,
    outcome: event.outcome as ExchangePart['outcome'],
    product: event.product,
    version: event.version,
    operation: event.operation,
    path: event.path,
    agreement: event.agreement,
    purpose: event.purpose,
    consent: event.consent,
    via: event.via,
    reference: event.reference,
    policies: event.policies,
    policyVersion: event.policyVersion,
    released: event.released,
    withheld: event.withheld,
    status: answer.status,
    problem: event.problem,
    responseHash: hash,
    upstreamMs: event.upstreamMs,
  }
}

const insertAnswered = `INSERT INTO exchanges
  (id, exchange_id, role, peer, receipt, request_keyid, request_base, request_signature, nonce, nonce_expires, subject)
  VALUES (?, ?, 'holder', ?, ?, ?, ?, ?, ?, ?, ?)`

/** Only nonces that are in memory come back after a restart: others would take the room of these. */
function isRemembered({ problem }: InboundCall): boolean {
  return problem?.code !== 'nonce-store-full' && problem?.code !== 'signature-stale'
}

/** Under which what describes the call is kept: that of the person it is about, or one of its parts is. */
export function subjectKeyOf({ consent, parts }: InboundCall): SubjectKey | undefined {
  return consent?.key ?? parts?.find(({ call }) => call.consent !== undefined)?.call.consent?.key
}

/** True unless it is known that the call's path, or the body of a composite, is about nobody. */
function mayNamePerson({ addressed, operation, product, parts }: InboundCall): boolean {
  if (product?.id === compositeProduct) return parts?.every(({ call }) => !mayNamePerson(call)) !== true
  return addressed?.productClass === 'personal' && (operation === undefined || operation.personal !== undefined)
}

/** The signature's base names the path, and in it whom the call is about; of a composite the digest of what does. */
function keptSignature(call: InboundCall, base: string, signature: Uint8Array | undefined): SqlValue[] {
  const key = subjectKeyOf(call)
  const text = signature === undefined ? null : encodeBase64url(signature)
  if (key !== undefined) return [key.seal(base), text]
  return mayNamePerson(call) ? [null, null] : [base, text]
}

/** What is kept of the request: of an anonymous one nothing, nor of one whose signature did not verify. A MAC is not kept
 *  either: this node could have made it. */
function keptRequest(call: InboundCall): SqlValue[] {
  const { caller, client, signature } = call
  if (caller === undefined && client === undefined) return [null, null, null, null, null]
  const keyid = signature?.keyid ?? (client && apiKeyName({ id: client.keyId, environment: client.environment }))
  const base = keptSignature(call, requestBase(call), caller && signature?.signature)
  const nonce = signature !== undefined && isRemembered(call) ? [signature.nonce, signature.expires] : [null, null]
  return [keyid ?? null, ...base, ...nonce]
}

/** The row of an answered call. */
export function answeredRow(call: InboundCall, receipt: string | undefined): Statement {
  const { id } = call
  const peer = participantOf(call) ?? null
  const params = [id, id, peer, receipt ?? null, ...keptRequest(call), subjectKeyOf(call)?.handle ?? null]
  return { sql: insertAnswered, params }
}

/** What opens the commitments to the call's sealed contents. Of what may be about a person under whose key it cannot be
 *  kept, nothing is kept. */
export function answeredOpenings(call: InboundCall): Statement[] {
  const key = subjectKeyOf(call)
  if (key === undefined && mayNamePerson(call)) return []
  return openingsRow(call.id, call.sealing, key)
}

/** The claims of a receipt are the event's facts, and where the log has them. */
export function claimsOf(
  event: ExchangeEvent,
  issue: { readonly by: string; readonly atMs: number },
  log: { readonly origin: string; readonly leaf: string },
): ReceiptClaims {
  return {
    iss: issue.by,
    aud: event.peer ?? '',
    key: event.key,
    jti: event.id,
    iat: Math.floor(issue.atMs / 1000),
    time: event.time,
    req: event.requestHash ?? '',
    res: event.responseHash ?? '',
    status: event.status ?? 0,
    prd: event.product ?? '',
    ver: event.version ?? '',
    op: event.operation,
    agr: event.agreement,
    pur: event.purpose,
    con: event.consent,
    via: event.via,
    ...policyClaims(event.policies),
    ...fieldClaims(event),
    ...partsClaims(event.parts),
    sea: event.sealed,
    log: log.origin,
    leaf: log.leaf,
  }
}
