/** What the gateway asks of the other parts of the node. It imports none of them; `node.ts` gives it their services. */
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { ProblemCode } from '@comity/core/problems'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { ExchangeSummary } from '../telemetry/events.ts'

/** A product as the gateway uses it. Every method throws the `Problem` that the caller should read. */
export interface OfferedProduct {
  readonly id: string
  readonly version: string
  readonly productClass: 'public' | 'partner'
  readonly requestBytes: number
  readonly requireClientCertificate: boolean
  /** Finds and validates the operation. `path` is normalised and relative to the product (`/…`). */
  match(request: RequestToMatch): MatchedOperation
  /** Calls the upstream. */
  forward(operation: MatchedOperation, request: RequestToForward): Promise<UpstreamAnswer>
  /** Judges the answer by the operation's schema and keeps only what may leave. */
  judge(operation: MatchedOperation, answer: UpstreamAnswer): UpstreamAnswer
}

export interface RequestToMatch {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

export interface RequestToForward extends RequestToMatch {
  /** The exchange id, so that the upstream's logs can be joined with the node's. */
  readonly exchangeId: string
  /** W3C `traceparent` of the call's span. */
  readonly traceparent?: string
}

export interface MatchedOperation {
  readonly operationId: string
  /** `/athletes/{id}`: the path without anybody's data. */
  readonly template: string
}

export interface UpstreamAnswer {
  readonly status: number
  /** Name, value, name, value … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

export interface ProductsPort {
  get(id: string): OfferedProduct | undefined
}

/** Who asks for what under which agreement, to be answered from memory. */
export interface AgreementQuestion {
  readonly assigner: string
  readonly assignee: string
  readonly product: string
  readonly operation: string | undefined
  readonly purpose: string | undefined
  readonly agreementId: string | undefined
}

export type AgreementVerdict =
  | { readonly allowed: true; readonly agreementId: string; readonly purpose: string | undefined }
  | {
      readonly allowed: false
      readonly code: ProblemCode
      readonly detail: string
      readonly agreements?: readonly string[]
    }

export interface AgreementsPort {
  decide(question: AgreementQuestion, nowMs: number): AgreementVerdict
}

export interface PartnerOfGateway {
  readonly alias: string
  readonly did: string
  readonly requireClientCertificate: boolean
}

export interface IdentityPort {
  readonly did: string
  /** The keys that sign now. */
  authenticationKey(): NamedKey
  assertionKey(): NamedKey
  /** A verified key from memory, without waiting. */
  peek(keyid: string, purpose?: 'authentication' | 'assertionMethod'): VerifyingKey | undefined
  resolveKey(keyid: string, purpose: 'authentication' | 'assertionMethod', atMs?: number): Promise<VerifyingKey>
  /** Fingerprints (`sha256:…`) of the TLS keys that belong to the participant; `presented` may be a successor just published. */
  tlsFingerprints(did: string, presented: string): Promise<readonly string[]>
}

export interface NamedKey {
  readonly keyid: string
  readonly key: SigningKey
}

export interface PreparedEvent {
  readonly id: string
  readonly leafHash: Uint8Array
}

export interface AuditLogPort<P extends PreparedEvent = PreparedEvent> {
  readonly origin: string
  prepare(event: { id: string; type: string; timeMs: number; body: string }): P
  append(event: P, effects?: readonly Statement[]): Promise<number>
}

export interface RateVerdict {
  readonly admitted: boolean
  readonly retryAfterSeconds: number
  /** The announcing header fields, name and value in turn. */
  readonly fields: readonly string[]
}

export interface LimitsPort {
  /** Cheap gate by address before anything is computed. */
  admitAddress(remoteAddress: string, nowMs: number): RateVerdict
  /** True while the address has failed to authenticate too often. */
  isPenalised(remoteAddress: string, claimedKey: string, nowMs: number): boolean
  /** Called for every failed authentication. */
  penalise(remoteAddress: string, claimedKey: string, nowMs: number): void
  /** The product's own limit for this caller. */
  admitCall(caller: string, product: OfferedProduct, nowMs: number): RateVerdict
}

export interface ObserverPort {
  exchange(summary: ExchangeSummary): void
  /** An error that is nobody's fault but the node's: logged whole for the operator. */
  internalError(error: unknown, exchangeId: string): void
}

/** The made-up or real world. */
export interface World {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}
