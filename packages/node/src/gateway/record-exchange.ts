/** Writes exchanges to the log, with what proves them, in one durable transaction. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { exchangeEventBody, type ExchangeEvent, type ExchangeOutcome } from '@comity/core/exchange/event'
import { receiptSigner, type ReceiptClaims } from '@comity/core/exchange/receipt'
import type { ProblemCode } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type { Answer, InboundCall } from './inbound-call.ts'
import type { AuditLogPort, IdentityPort, NamedKey, PreparedEvent } from './ports.ts'
import { problemCodeOf, type Attempted, type OutboundRequest } from './send-request.ts'

export interface ExchangeRecorder {
  /** Holder: prepares the event and, for an identified caller of a known product, the receipt. No I/O. */
  prepareAnswered(call: InboundCall, answer: Answer, nowMs: number): PreparedOutcome
  /** Holder: durable on return, together with `effects`. Throws `record-failed`. */
  recordAnswered(call: InboundCall, outcome: PreparedOutcome, effects: readonly Statement[]): Promise<void>
  /** Recipient: durable on return. Throws `record-failed`. */
  recordSent(sent: SentExchange): Promise<void>
  /** Recipient: a call of an application that this node itself refused. Durable on return. */
  recordUnsent(refused: UnsentExchange): Promise<void>
}

export interface UnsentExchange {
  readonly id: string
  readonly method: string
  readonly problem: ProblemCode
  readonly timeMs: number
}

export interface PreparedOutcome {
  readonly event: PreparedEvent
  readonly receipt: string | undefined
}

export interface SentExchange {
  readonly id: string
  readonly request: OutboundRequest & { readonly product: string }
  readonly attempted: Attempted
  readonly startedMs: number
  readonly finishedMs: number
}

const hashOf = (data: Uint8Array | string): string => sha256Text(data, 'base64url')

/** The facts of an inbound call that are known so far. */
export function eventOf(call: InboundCall, outcome: ExchangeOutcome): ExchangeEvent {
  return {
    id: call.id,
    role: 'holder',
    outcome,
    time: call.receivedAtMs,
    peer: call.caller?.did,
    product: call.product?.id,
    version: call.product?.version,
    operation: call.operation?.operationId,
    method: call.request.method,
    path: call.operation?.template,
    agreement: call.agreementId,
    purpose: call.purpose,
    requestHash: call.caller && call.signature && hashOf(call.signature.base),
    upstreamMs: call.upstreamMs,
  }
}

function outcomeOf(call: InboundCall): ExchangeOutcome {
  if (call.problem === undefined) return 'allowed'
  return call.problem.status >= 500 ? 'failed' : 'denied'
}

const insertSql = `INSERT INTO exchanges
  (id, exchange_id, role, peer, receipt, request_keyid, request_base, request_signature,
   response_keyid, response_base, response_signature, nonce, nonce_expires)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Only nonces that are in memory come back after a restart: others would take the room of these. */
function isRemembered({ problem }: InboundCall): boolean {
  return problem?.code !== 'nonce-store-full' && problem?.code !== 'signature-stale'
}

function answeredRow(call: InboundCall, receipt: string | undefined): Statement {
  const { id, caller } = call
  // A signature that did not verify proves nothing and is not kept.
  const signature = caller === undefined ? undefined : call.signature
  const request = signature
    ? [
        signature.keyid,
        signature.base,
        encodeBase64url(signature.signature),
        null,
        null,
        null,
        ...(isRemembered(call) ? [signature.nonce, signature.expires] : [null, null]),
      ]
    : [null, null, null, null, null, null, null, null]
  return { sql: insertSql, params: [id, id, 'holder', caller?.did ?? null, receipt ?? null, ...request] }
}

function sentRow({ id, request, attempted }: SentExchange): Statement {
  const { sent, requestSignature, verified } = attempted
  const receipt = verified?.receipt
  const keyid = /;keyid="([^"]+)"/.exec(sent.base)?.[1] ?? null
  const response = verified
    ? [verified.signature.keyid, verified.signature.base, encodeBase64url(verified.signature.signature)]
    : [null, null, null]
  return {
    sql: insertSql,
    params: [
      id,
      receipt?.claims.jti ?? id,
      'recipient',
      request.partner.did,
      receipt?.jws ?? null,
      keyid,
      sent.base,
      encodeBase64url(signatureBytes(requestSignature)),
      ...response,
      null,
      null,
    ],
  }
}

/** The bytes in `comity=:BASE64:`. */
function signatureBytes(field: string): Uint8Array {
  return Buffer.from(field.slice(field.indexOf(':') + 1, -1), 'base64')
}

/** The same word that the holder has for it: an API's own error is an answer, a node's problem is a refusal. */
export function sentOutcome({ verified, answer }: Attempted): 'allowed' | 'denied' | 'failed' {
  if (verified === undefined || answer === undefined) return 'failed'
  if (problemCodeOf(answer) === undefined) return 'allowed'
  return answer.status >= 500 ? 'failed' : 'denied'
}

function sentEvent({ id, request, attempted, startedMs, finishedMs }: SentExchange): ExchangeEvent {
  const { answer, verified, problem, sent } = attempted
  const claims = verified?.receipt?.claims
  const refusal = verified && answer && problemCodeOf(answer)
  return {
    id: claims?.jti ?? id,
    role: 'recipient',
    outcome: sentOutcome(attempted),
    time: startedMs,
    peer: request.partner.did,
    product: claims?.prd ?? request.product,
    version: claims?.ver,
    operation: claims?.op,
    method: request.method,
    agreement: claims?.agr ?? request.agreementId,
    purpose: claims === undefined ? request.headers.get('comity-purpose') : claims.pur,
    status: verified && answer?.status,
    problem: problem?.code ?? refusal,
    requestHash: hashOf(sent.base),
    responseHash: verified && answer && hashOf(answer.body),
    receipt: verified?.receipt && {
      hash: hashOf(verified.receipt.jws),
      log: verified.receipt.claims.log,
      leaf: verified.receipt.claims.leaf,
    },
    durationMs: finishedMs - startedMs,
  }
}

/** The claims of a receipt are the event's facts, and where the log has them. */
function claimsOf(
  event: ExchangeEvent,
  issue: { readonly by: string; readonly atMs: number },
  log: { readonly origin: string; readonly leaf: string },
): ReceiptClaims {
  return {
    iss: issue.by,
    aud: event.peer ?? '',
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
    log: log.origin,
    leaf: log.leaf,
  }
}

/** Recorder on the node's log. */
export function createExchangeRecorder(auditLog: AuditLogPort, identity: IdentityPort): ExchangeRecorder {
  const signWith = rememberSigner()
  return {
    prepareAnswered(call, answer, nowMs) {
      const facts: ExchangeEvent = {
        ...eventOf(call, outcomeOf(call)),
        status: answer.status,
        problem: call.problem?.code,
        responseHash: hashOf(answer.body),
        durationMs: nowMs - call.receivedAtMs,
      }
      const event = auditLog.prepare({
        id: call.id,
        type: 'exchange',
        timeMs: facts.time,
        body: exchangeEventBody(facts),
      })
      if (call.caller === undefined || call.product === undefined) return { event, receipt: undefined }
      const log = { origin: auditLog.origin, leaf: encodeBase64url(event.leafHash) }
      return {
        event,
        receipt: signWith(identity.assertionKey())(claimsOf(facts, { by: identity.did, atMs: nowMs }, log)),
      }
    },
    async recordAnswered(call, { event, receipt }, effects) {
      await auditLog.append(event, [answeredRow(call, receipt), ...effects])
    },
    async recordSent(sent) {
      const body = exchangeEventBody(sentEvent(sent))
      const event = auditLog.prepare({ id: sent.id, type: 'exchange', timeMs: sent.startedMs, body })
      await auditLog.append(event, [sentRow(sent)])
    },
    async recordUnsent({ id, method, problem, timeMs }) {
      const body = exchangeEventBody({ id, role: 'recipient', outcome: 'denied', time: timeMs, method, problem })
      await auditLog.append(auditLog.prepare({ id, type: 'exchange', timeMs, body }))
    },
  }
}

/** The receipt signer of the current key, made anew when the key changes. */
function rememberSigner(): (named: NamedKey) => (claims: ReceiptClaims) => string {
  let known: { keyid: string; sign: (claims: ReceiptClaims) => string } | undefined
  return ({ keyid, key }) => {
    if (known?.keyid !== keyid) known = { keyid, sign: receiptSigner(key, keyid) }
    return known.sign
  }
}
