/** The recipient's side of an exchange as it is recorded: the event and the row beside it. What was asked about a person
 *  is sealed under a key of this node's own for the pairwise id that the holder gave it. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { sliceProblem } from '@comity/core/exchange/composite-answer'
import { compositeOutcome, partOfClaims, type ExchangePart } from '@comity/core/exchange/composite-parts'
import type { ExchangeEvent } from '@comity/core/exchange/event'
import type { ReceiptClaims } from '@comity/core/exchange/receipt'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey } from '../../vault/vault.ts'
import { hashOf } from '../answered-exchange.ts'
import { openingsRow } from '../sealing-record.ts'
import { problemCodeOf, type Attempted, type OutboundRequest } from './send-request.ts'
import type { RawAnswer } from './verify-answer.ts'

export interface SentExchange {
  readonly id: string
  readonly request: OutboundRequest & { readonly product: string; readonly key?: string | undefined }
  readonly attempted: Attempted
  readonly startedMs: number
  readonly finishedMs: number
  /** How much came of an answer that was streamed. */
  readonly streamed?: { readonly bytes: number } | undefined
}

const insertSent = `INSERT INTO exchanges
  (id, exchange_id, role, peer, receipt, request_keyid, request_base, request_signature,
   response_keyid, response_base, response_signature, subject)
  VALUES (?, ?, 'recipient', ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** The row of a sent call; `key` seals what names the person, or may name one. */
export function sentRow(exchange: SentExchange, key: SubjectKey | undefined): Statement {
  const { id, request, attempted } = exchange
  const { sent, verified } = attempted
  const receipt = verified?.receipt
  const keyid = /;keyid="([^"]+)"/.exec(sent.base)?.[1] ?? null
  return {
    sql: insertSent,
    params: [
      id,
      receipt?.claims.jti ?? id,
      request.partner.did,
      receipt?.jws ?? null,
      keyid,
      ...signedTexts(exchange, key),
      key?.handle ?? null,
    ],
  }
}

/** True for a call that the holder refused without looking for a consent: what its path and query name may be a person,
 *  and nobody has said whether it is. So it is with a part of a composite. */
export function mayNameSomebody({ request, attempted }: SentExchange): boolean {
  return isEvidence(request, attempted) && refusalsIn(attempted).length > 0
}

/** Codes of the refusals in an answer, which has several when it is a composite's. */
function refusalsIn({ answer, composite }: Attempted): string[] {
  const whole = answer && problemCodeOf(answer)
  const slices = [...(composite?.answer.slices.values() ?? [])].flatMap((slice) => sliceProblem(slice) ?? [])
  return whole === undefined ? slices : [whole, ...slices]
}

/** What opens the commitments to what was sealed; under the same key, or not kept for the same reason. */
export function sentOpenings({ id, request, attempted }: SentExchange, key: SubjectKey | undefined): Statement[] {
  if (key === undefined && !isEvidence(request, attempted)) return []
  return openingsRow(id, attempted.sealed ?? {}, key)
}

/** What was signed on both sides. What may be about a person of whom this node presented no consent is not kept: there
 *  is nobody under whose key it could be. */
function signedTexts({ request: asked, attempted }: SentExchange, key: SubjectKey | undefined): (string | null)[] {
  const { sent, requestSignature, verified } = attempted
  const kept = (base: string) => key?.seal(base) ?? base
  const isKept = key !== undefined || isEvidence(asked, attempted)
  const request = isKept ? [kept(sent.base), encodeBase64url(signatureBytes(requestSignature))] : [null, null]
  if (verified === undefined) return [...request, null, null, null]
  const { keyid, base, signature } = verified.signature
  return [...request, keyid, ...(isKept ? [kept(base), encodeBase64url(signature)] : [null, null])]
}

/** An answer whose receipt is evidence of the call, and which says nothing of a person. */
function isEvidence({ headers }: SentExchange['request'], attempted: Attempted): boolean {
  const { verified, answer } = attempted
  if (verified?.receipt === undefined || answer === undefined || headers.has('comity-subject')) return false
  return !refusalsIn(attempted).some((code) => code.startsWith('consent-') || code === 'composite-mixed')
}

/** The bytes in `comity=:BASE64:`. */
function signatureBytes(field: string): Uint8Array {
  return Buffer.from(field.slice(field.indexOf(':') + 1, -1), 'base64')
}

/** The same word that the holder has for it: an API's own error is an answer, a node's problem is a refusal. */
export function sentOutcome({ sent, verified, answer, composite }: Attempted): 'allowed' | 'denied' | 'failed' {
  if (verified === undefined || answer === undefined) return 'failed'
  if (composite !== undefined) return compositeOutcome(partsOf(composite))
  if (problemCodeOf(answer) === undefined && !isBareProblem(sent.parts.method, answer)) return 'allowed'
  return answer.status >= 500 ? 'failed' : 'denied'
}

/** The code of a problem stands in its content, of which HEAD has none: there the content type tells. */
function isBareProblem(method: string, { status, headers }: RawAnswer): boolean {
  return method === 'HEAD' && status >= 400 && headers.get('content-type') === 'application/problem+json'
}

/** What the receipt states of each part, and with which problem it was refused. */
function partsOf({ answer, stated }: NonNullable<Attempted['composite']>): ExchangePart[] {
  return stated.map((claims) => {
    const slice = answer.slices.get(claims.name)
    return partOfClaims(claims, slice && sliceProblem(slice))
  })
}

/** What the holder's receipt says of consent and fields. */
function consentFacts({ con, via, pol, rel, wit, fld }: ReceiptClaims): Partial<ExchangeEvent> {
  return { consent: con, via, policies: pol, released: rel, withheld: wit, fields: fld }
}

/** The event of a sent call. */
export function sentEvent({ id, request, attempted, startedMs, finishedMs, streamed }: SentExchange): ExchangeEvent {
  const { answer, verified, problem, sent } = attempted
  const claims = verified?.receipt?.claims
  const refusal = verified && answer && problemCodeOf(answer)
  return {
    id: claims?.jti ?? id,
    role: 'recipient',
    outcome: sentOutcome(attempted),
    time: startedMs,
    peer: request.partner.did,
    key: request.key,
    product: claims?.prd ?? request.product,
    version: claims?.ver,
    operation: claims?.op,
    method: request.method,
    agreement: claims?.agr ?? request.agreementId,
    purpose: claims === undefined ? request.headers.get('comity-purpose') : claims.pur,
    ...(claims && consentFacts(claims)),
    parts: attempted.composite && partsOf(attempted.composite),
    status: verified && answer?.status,
    problem: problem?.code ?? refusal,
    requestHash: hashOf(sent.base),
    sealed: claims?.sea,
    // Of an answer that came sealed the receipt has the hash of what was sent.
    responseHash: verified && answer && (claims?.res ?? hashOf(answer.body)),
    streamed,
    receipt: verified?.receipt && {
      hash: hashOf(verified.receipt.jws),
      log: verified.receipt.claims.log,
      leaf: verified.receipt.claims.leaf,
    },
    durationMs: Math.max(0, finishedMs - startedMs),
  }
}
