/** What is counted of a call that is over: whose it was and to what, by names that this node's operator gave, and how much
 *  it took. Nothing of whom it was about, nor from where it came. */
import { outcomeOf } from './answered-exchange.ts'
import type { InboundCall } from './inbound-call.ts'
import { callerOf } from './steps/limit.ts'
import type { CallToLimit } from './limit-port.ts'
import type { ExchangeOutcome } from '@comity/core/exchange/event'
import type { PartnerOfGateway } from './ports.ts'

/** A call as usage is counted; texts are empty where there is nothing to tell. */
export interface CountedCall {
  readonly side: 'holder' | 'recipient'
  /** DID of a partner; of strangers and of who was not identified nothing. */
  readonly participant: string
  readonly client: string
  readonly key: string
  readonly credential: CallToLimit['credential']
  readonly product: string
  readonly operation: string
  readonly outcome: Extract<ExchangeOutcome, 'allowed' | 'denied' | 'failed'>
  /** Of the problem it ended with. */
  readonly code: string | undefined
  /** What it took of limits. */
  readonly units: number
  /** Of the answer's body. */
  readonly bytes: number
  /** How long the API, or the partner, was waited for. */
  readonly upstreamMs: number | undefined
}

/** A call to a product of this node. */
export function countedInbound(
  call: InboundCall,
  partnerOf: (did: string) => PartnerOfGateway | undefined,
): CountedCall {
  const { product, operation, answer, problem, limits, upstreamMs } = call
  return {
    side: 'holder',
    ...whoseOf(call, partnerOf),
    product: product?.id ?? '',
    operation: operation?.operationId ?? '',
    outcome: outcomeOf(call),
    code: problem?.code,
    units: limits?.units ?? 0,
    bytes: answer?.left?.bytes ?? (problem === undefined ? (answer?.body.length ?? 0) : 0),
    upstreamMs,
  }
}

function whoseOf(call: InboundCall, partnerOf: (did: string) => PartnerOfGateway | undefined) {
  const { caller, product } = call
  const partner = caller && partnerOf(caller.did)
  const nobody = { participant: '', client: '', key: '', credential: 'none' as const }
  if (product === undefined) return nobody
  const { caller: counted, key = '', client = '', credential } = callerOf(call, partner)
  // A stranger may make a new DID for every call, and a `did:key` may be a person's.
  if (partner === undefined && client === '') return { ...nobody, credential }
  return { participant: counted.startsWith('did:') ? counted : '', client, key, credential }
}
