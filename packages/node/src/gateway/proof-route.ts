/** `GET /receipts/{id}/proof`: the inclusion proof of an exchange, for the participant it was with. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import type { ExchangeStore } from './exchange-store.ts'
import type { InboundCall, Caller } from './inbound-call.ts'

/** What the log can prove of an event: where it stands, and the opening of its commitment, unless the person that it is
 *  about was erased. */
export interface LogProof {
  readonly index: number
  /** `.tlog-proof` text (c2sp.org/tlog-proof). */
  readonly proof: string
  readonly body: string | undefined
  readonly salt: Uint8Array | undefined
}

export interface ProverPort {
  proof(eventId: string): Promise<LogProof | 'pending' | undefined>
}

/** The JSON of the answer; `salt` is base64url. */
export type ProofDocument = { readonly index: number; readonly proof: string } & (
  { readonly body: string; readonly salt: string } | { readonly erased: true }
)

const shape = /^\/receipts\/([0-9a-f-]{36})\/proof$/

/** The proof of one event. Throws `receipt-unknown`, and `proof-pending` until a checkpoint covers it. */
export async function loadProof(prover: ProverPort, eventId: string): Promise<ProofDocument> {
  const found = await prover.proof(eventId)
  if (found === undefined) throw unknown()
  if (found === 'pending') {
    throw new Problem('proof-pending', 'the next checkpoint will cover it', { members: { retryAfterSeconds: 1 } })
  }
  const { index, proof, body, salt } = found
  if (body === undefined || salt === undefined) return { index, proof, erased: true }
  return { index, proof, body, salt: encodeBase64url(salt) }
}

function unknown(): Problem {
  return new Problem('receipt-unknown', 'no exchange of yours has this id')
}

/** The answer to the other party; to everybody else the exchange does not exist. */
export function answerProof(
  exchanges: ExchangeStore,
  prover: ProverPort,
): (caller: Caller, call: InboundCall) => Promise<Reply> {
  return async (caller, call) => {
    const [, id] = shape.exec(call.request.path) ?? []
    const exchange = id === undefined ? undefined : await exchanges.find(id)
    if (exchange === undefined || exchange.role !== 'holder' || exchange.peer !== caller.did) throw unknown()
    return jsonReply(200, await loadProof(prover, exchange.id), ['cache-control', 'private, no-store'])
  }
}
