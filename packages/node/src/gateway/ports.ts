/** What the gateway asks of the other parts of the node. It imports none of them; `node.ts` gives it their services. */
import type { Environment, KeyUse } from '@comity/core/api-keys/api-key'
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { Change } from '@comity/core/consent/decide-change'
import type { Release } from '@comity/core/consent/release'
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { RowStream } from '@comity/core/minimisation/rows/row-stream'
import type { TransformMeans } from '@comity/core/minimisation/transforms'
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import type { ProblemCode } from '@comity/core/problems'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { CountedCall } from './counted-call.ts'
import type { CalledOperation } from './limit-port.ts'
import type { StreamedBody } from '../http/incoming-stream.ts'
import type { Statement } from '../storage/database.ts'
import type { ExchangeSummary } from '../telemetry/events.ts'
import type { SubjectKey } from '../vault/vault.ts'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'

/** A product as the gateway uses it. Every method throws the `Problem` that the caller should read. */
export interface OfferedProduct {
  readonly id: string
  readonly version: string
  readonly productClass: 'public' | 'partner' | 'personal'
  readonly requestBytes: number
  readonly requireClientCertificate: boolean
  /** Which API keys open it: none, both kinds, or only those that sign. */
  readonly keys: 'none' | KeyUse
  /** The node's where undefined. */
  readonly environment?: Environment | undefined
  /** Since when or from when on the version is deprecated, and until when it is answered, in milliseconds since the epoch. */
  readonly deprecatedMs?: number | undefined
  readonly sunsetMs?: number | undefined
  /** Undefined when contents leave in clear. */
  readonly sealing?: SealingSettings | undefined
  /** Whether some operation counts as more than one unit. */
  readonly hasCosts: boolean
  /** The operation of a method and a normalised path, nothing checked, with the units it takes at least; undefined when
   *  there is none. */
  operationAt(method: string, path: string): CalledOperation | undefined
  /** Finds and validates the operation. `path` is normalised and relative to the product (`/…`). */
  match(request: RequestToMatch): MatchedOperation
  /** Calls the upstream. */
  forward(operation: MatchedOperation, request: RequestToForward): Promise<UpstreamAnswer>
  /** Judges the answer by the operation's schema and keeps only what may leave. */
  judge(operation: MatchedOperation, answer: UpstreamAnswer): UpstreamAnswer
  /** Of an answer with labelled fields, judged as `judge` does: what was released and nothing else. */
  minimise(operation: MatchedOperation, answer: UpstreamAnswer, released: ReleaseToApply): UpstreamAnswer
  /** The same for an answer that is still on its way: what leaves of its head, and what its body passes through. The
   *  rows throw `RowFault` when they are not as declared. */
  openStream(
    operation: MatchedOperation,
    headers: readonly string[],
    released: ReleaseToApply,
  ): { readonly headers: readonly string[]; readonly rows: RowStream }
  /** How long either side of a streamed answer may keep the other waiting, in milliseconds. */
  readonly streamIdleMs: number
}

/** What is released of an answer, and with what values are changed on their way. */
export interface ReleaseToApply {
  readonly release: Release
  readonly means: TransformMeans
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
  /** Stands in the place of what the request names as its subject: the reference that the upstream knows. */
  readonly subjectReference?: string
  /** What may leave of the answer: where the product says how, the upstream is asked for no more. */
  readonly release?: Release | undefined
  /** An answer that the operation streams may be read while it arrives. */
  readonly takesStream?: boolean
}

export interface MatchedOperation {
  readonly operationId: string
  /** How many units of the limits this very call takes. */
  readonly units: number
  /** `/athletes/{id}`: the path without anybody's data. */
  readonly template: string
  /** Which labelled fields the call is about; absent when the operation has none, so its answer leaves whole. */
  readonly data?: DataCall | undefined
  /** The same with whom the call is about; absent when the operation is about nobody. */
  readonly personal?: PersonalCall | undefined
  /** How long a reference lives that is given instead of an answer; undefined when the answer itself is given. */
  readonly referenceSeconds?: number | undefined
}

/** What a call to a product with labels asks for. */
export interface DataCall {
  /** Labelled fields that the operation's answers may have, in the product's order; all of the product where they have
   *  none. The same list from call to call. */
  readonly labels: readonly { readonly path: string; readonly domain: string; readonly sensitivity: Sensitivity }[]
  /** False for an operation whose answers have no labelled field: a write that answers with nothing. */
  readonly answersFields: boolean
  /** Fields that the call asks for, each touching a label; all when undefined. */
  readonly requested: readonly string[] | undefined
  readonly action: ConsentAction
  /** What the call changes; undefined for one that changes nothing. */
  readonly change?: Change<DataCall['labels'][number]> | undefined
}

/** What a call to a personal product says of its subject. */
export interface PersonalCall extends DataCall {
  /** What the request names: a pairwise id or a reference of the holder's. Undefined when it names nobody. */
  readonly subject: string | undefined
}

export interface UpstreamAnswer {
  readonly status: number
  /** Name, value, name, value … */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  /** Instead of `body`, which is empty then: one that is still on its way. Must be read to its end, or cancelled. */
  readonly stream?: StreamedBody | undefined
}

export interface ProductsPort {
  /** By id, which is the current version, or `id@version`. */
  get(address: string): OfferedProduct | undefined
  /** The address of what takes the place of a version; undefined when nothing does. */
  successorOf(product: OfferedProduct): string | undefined
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
      /** Several would cover the call, and which operation it is, which only the holder knows, may tell which. */
      readonly isUpToOperation?: boolean
    }

export interface AgreementsPort {
  decide(question: AgreementQuestion, nowMs: number): AgreementVerdict
}

export interface PartnerOfGateway {
  readonly alias: string
  readonly did: string
  readonly requireClientCertificate: boolean
  /** ISO 3166-1 alpha-2, as this node's operator declared it. */
  readonly country?: string | undefined
}

/** The consents of the people that the personal products are about. */
export interface ConsentsPort {
  /** The participant for whom a delegate calls: the first bearer of a chain that verifies and ends at this caller.
   *  Throws `consent-required`, `consent-token-invalid`, `consent-token-expired`. */
  clientOf(authorization: string, caller: CallerOfConsent, nowMs: number): Promise<string>
  decide(question: ConsentQuestion): Promise<ConsentVerdict>
}

/** The key is the one that signed the request, as its RFC 7638 thumbprint. */
export interface CallerOfConsent {
  readonly did: string
  readonly keyThumbprint: string
  readonly country: string | undefined
}

/** One call that has passed every check before `consent`. */
export interface ConsentQuestion extends PersonalCall {
  /** The fields `Authorization` and `Comity-Subject` as received. */
  readonly authorization: string | undefined
  readonly subjectField: string | undefined
  readonly caller: CallerOfConsent
  /** IRI, from the agreement's check; undefined when the caller stated none. */
  readonly purpose: string | undefined
  readonly product: string
  readonly nowMs: number
}

/** A consent that covers a call, and what the call may have. */
export interface ConsentGiven {
  readonly allowed: true
  readonly consent: { readonly id: string; readonly rev: number; readonly hash: string }
  /** DIDs from the recipient to the caller, when the caller acts by delegation; else empty. */
  readonly via: readonly string[]
  /** Under which everything that describes the call is kept. */
  readonly key: SubjectKey
  /** The subject as the upstream knows it, and towards the recipient. */
  readonly reference: string
  readonly pairwise: string
  readonly release: Release
  /** For the transform `hash`. */
  readonly keyedHash: (text: string) => string
  /** Reads the consent once more: why it does not stand now, if it does not. */
  confirm(nowMs: number): Promise<ConsentRefused | undefined>
  /** Writes the use down; goes into the transaction that records the outcome, and with `mustStand` fails it when the
   *  consent was ended or changed before. */
  use(exchangeId: string, nowMs: number, options?: { readonly mustStand?: boolean }): readonly Statement[]
  /** Ends the call's hold on the counters: `released` when an answer left, so the use counts. */
  settle(released: boolean): void
}

/** Why a call is not covered. */
export interface ConsentRefused {
  readonly allowed: false
  readonly code: ProblemCode
  readonly detail: string
  readonly members?: Readonly<Record<string, unknown>> | undefined
}

export type ConsentVerdict = ConsentGiven | ConsentRefused

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
  /** With `subject`, body and salt are kept under that person's key. */
  prepare(event: { id: string; type: string; timeMs: number; body: string; subject?: SubjectKey }): P
  append(event: P, effects?: readonly Statement[]): Promise<number>
}

export interface ObserverPort {
  exchange(summary: ExchangeSummary): void
  /** The same exchange, for the count of how much is called; keeps nothing of it by itself. */
  counted(call: CountedCall): void
  /** An error that is nobody's fault but the node's: logged whole for the operator. */
  internalError(error: unknown, exchangeId: string): void
}

/** The made-up or real world. */
export interface World {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}
