/** What the inbound steps know of one call, filled in from step to step. */
import type { IncomingMessage } from 'node:http'
import type { Release } from '@comity/core/consent/release'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import type { RowStream } from '@comity/core/minimisation/rows/row-stream'
import type { Problem } from '@comity/core/problems'
import type { ReadSignature } from '@comity/core/http-signatures/profile-request'
import type { Slice } from '@comity/core/exchange/composite-answer'
import type { ExchangeTrace } from '../telemetry/traces.ts'
import type { StreamedBody } from '../http/incoming-stream.ts'
import type { ReceivedRequest } from '../http/received-request.ts'
import type { Decided, PolicyQuestion } from './policy-port.ts'
import type { SealedFacts, SealTarget } from './sealing-port.ts'
import type { ClientOfGateway } from './key-port.ts'
import type { LimitHold } from './limit-port.ts'
import type { ConsentGiven, MatchedOperation, OfferedProduct } from './ports.ts'
import type { NewReference, OpenReference } from './references/reference-store.ts'

/** The participant whose key signed the request. */
export interface Caller {
  readonly did: string
  readonly keyid: string
  readonly key: VerifyingKey
}

/** The answer on its way to the caller. Names and values alternate in `headers`. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Uint8Array
  /** Instead of `body`, which is empty then: one that is still on its way from the upstream. */
  readonly stream?: StreamedBody | undefined
  /** What has left of a streamed answer, once that is over. */
  readonly left?: StreamedPart | undefined
}

/** What left of a streamed answer, whole or not. */
export interface StreamedPart {
  /** SHA-256 in base64url. */
  readonly hash: string
  readonly bytes: number
  readonly rows: number
}

export interface InboundCall {
  /** UUIDv7, the exchange id in receipt and log. */
  readonly id: string
  readonly receivedAtMs: number
  readonly message: IncomingMessage
  /** One part of a composite, whose answer is a slice of the whole. */
  readonly isPart: boolean
  /** Of a sealed body, with the fields that travelled inside. */
  request: ReceivedRequest
  /** The product that the path names, before the caller is known to have any. */
  readonly addressed: OfferedProduct | undefined
  body: Buffer
  /** The signature as parsed; set before it is verified. */
  signature: ReadSignature | undefined
  /** Set only when the signature verified. */
  caller: Caller | undefined
  /** Set only when an API key was good, presented or by a MAC: there is no `caller` then. */
  client: ClientOfGateway | undefined
  /** Of a call whose key was presented: what a signature would have been over. */
  unsignedBase: string | undefined
  product: OfferedProduct | undefined
  operation: MatchedOperation | undefined
  /** The reference that the call resolves: what it asked for then is asked for now. */
  resolved: OpenReference | undefined
  /** The reference that is promised instead of an answer. */
  referral: NewReference | undefined
  agreementId: string | undefined
  purpose: string | undefined
  /** Set only when a consent covers the call; holds its counters until it is settled. */
  consent: ConsentGiven | undefined
  /** What the call may have of the labelled fields: of a consent, or of all labels, less what later steps withhold.
   *  Undefined for an operation without labels. */
  release: Release | undefined
  /** What the holder's policies decided; undefined on a node without any. */
  policy: Decided | undefined
  /** What they were asked. */
  policyQuestion: PolicyQuestion | undefined
  /** Of a composite: its parts, once each has its slice. */
  parts: readonly PartOfCall[] | undefined
  /** Of a composite that ended without them: what its parts were charged. */
  partLimits: readonly LimitHold[]
  /** How what travels in this call is sealed. */
  readonly sealing: CallSealing
  /** Rate limit fields that the answer carries, name and value in turn. */
  limitFields: readonly string[]
  /** The limits of the call, once it is admitted; held until it is over. */
  limits: LimitHold | undefined
  /** What the answer says of the end of the product's version, name and value in turn. */
  lifeFields: readonly string[]
  /** What it says of the end of the API key. */
  keyFields: readonly string[]
  /** True when an intent row waits for this call's outcome. */
  intent: IntentOfCall | undefined
  /** When the upstream was called and how long it took. */
  upstreamMs: number | undefined
  answer: Answer | undefined
  /** What a streamed answer passes through on its way to the caller. */
  rows: RowStream | undefined
  problem: Problem | undefined
  /** The exchange's own trace, begun here: a partner's is never continued. Undefined when traces are off. */
  readonly trace: ExchangeTrace | undefined
  /** How long whoever fails to authenticate is told to wait; 0 while failing costs nothing yet. */
  penaltySeconds: number
  /** True when nobody was identified and the refusal is only counted, not logged on its own. */
  tallied: boolean
}

/** One part of a composite that has its answer. */
export interface PartOfCall {
  readonly name: string
  readonly call: InboundCall
  /** The answer of the API as it leaves, or the refusal. */
  readonly answer: Answer
  readonly slice: Slice
  /** What the receipt says of it. */
  readonly hash: string
}

/** The sealed contents of a call, filled in from step to step. */
export interface CallSealing {
  /** Set when the body came sealed and was opened. */
  request: SealedFacts | undefined
  /** To whom the answer is sealed, and what it is bound to; undefined when it leaves in clear. */
  target: (SealTarget & { readonly bnd: string }) | undefined
  /** Set when the answer was sealed. */
  answer: SealedFacts | undefined
}

/** The durable intent of an unsafe call, or the earlier answer that its idempotency key found. */
export interface IntentOfCall {
  /** Name of the running call, for as long as it runs. */
  readonly key: string | undefined
  readonly idempotencyKey: string | undefined
  readonly replayed: boolean
}

/** One named step. It fills in the call, or throws the `Problem` that ends it; returns nothing when it need not wait. */
export interface Step {
  readonly name: string
  run(call: InboundCall): Promise<void> | void
}

/** A call of which only the head is known. */
export function openCall(
  head: Pick<InboundCall, 'id' | 'receivedAtMs' | 'message' | 'request' | 'addressed' | 'trace'> & {
    readonly isPart?: boolean
  },
): InboundCall {
  return {
    isPart: false,
    ...head,
    parts: undefined,
    partLimits: [],
    body: noBytes,
    signature: undefined,
    caller: undefined,
    client: undefined,
    unsignedBase: undefined,
    product: undefined,
    operation: undefined,
    resolved: undefined,
    referral: undefined,
    agreementId: undefined,
    purpose: undefined,
    consent: undefined,
    release: undefined,
    policy: undefined,
    policyQuestion: undefined,
    sealing: { request: undefined, target: undefined, answer: undefined },
    limitFields: [],
    limits: undefined,
    lifeFields: [],
    keyFields: [],
    intent: undefined,
    upstreamMs: undefined,
    answer: undefined,
    rows: undefined,
    problem: undefined,
    penaltySeconds: 0,
    tallied: false,
  }
}

const noBytes = Buffer.alloc(0)
