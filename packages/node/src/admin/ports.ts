/** What the admin API asks of the node's services. It imports none of them; `assembly/administration.ts` gives them. */
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import type { AgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import type { Environment } from '@comity/core/api-keys/api-key'
import type { RandomBytes } from '@comity/core/ports'
import type { z } from 'zod'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { ApiKeySchemas, ApiKeysPort, ClientWebhookSchemas, ClientWebhooksPort } from './client-ports.ts'
import type { ConsentAdminParts } from './consent-ports.ts'
import type { PolicyAdminParts } from './policy-ports.ts'
import type { RepeatsStore } from './repeats.ts'
import type { Condition } from './route.ts'
import type { ReplicasPort } from './replica-routes.ts'
import type { ForecastPort } from './forecast-routes.ts'
import type { QuotasPort } from './quota-routes.ts'
import type { TokenGateParts } from './token-gate.ts'
import type { UsagePort } from './usage-routes.ts'
import type { EvidenceExport, KeyView, LoggedEventView, NodeStatus } from './admin-api.ts'

export interface AdminParts extends TokenGateParts {
  /** `host[:port]` beyond loopback that the operator opened the listener to. */
  readonly trustedAuthorities: ReadonlySet<string>
  readonly newId: () => string
  readonly randomBytes: RandomBytes
  /** Answers that are kept for calls that are repeated. */
  readonly repeats: RepeatsStore
  /** Of this node and this use: what is kept is named and sealed by it. */
  readonly repeatsSecret: Uint8Array
  readonly isReady: () => boolean
  readonly status: () => NodeStatus
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
  /** Own DID. */
  readonly did: string
  /** Of this node. */
  readonly environment: Environment
  /** By which the services judge what they are given. */
  readonly schemas: {
    readonly partner: z.ZodType
    readonly product: z.ZodType
    readonly apiKeys: ApiKeySchemas
    readonly clientWebhooks: ClientWebhookSchemas
  }
  readonly partners: PartnersPort
  readonly products: ProductsPort
  readonly agreements: AgreementsPort
  readonly keys: KeysPort
  /** Clients and their API keys. */
  readonly apiKeys: ApiKeysPort
  /** Where clients are told of themselves. */
  readonly clientWebhooks: ClientWebhooksPort
  /** Consents, kept and held. */
  readonly consent: ConsentAdminParts
  /** The holder's own rules. */
  readonly policy: PolicyAdminParts
  /** What this node keeps of what it received. */
  readonly replicas: ReplicasPort
  /** The signed head of the log. */
  readonly checkpoint: () => string
  /** Higher quotas. */
  readonly quotas: QuotasPort
  /** How much is called. */
  readonly usage: UsagePort & ForecastPort
  /** Events from a position on, at most `limit`. */
  readonly readEvents: (range: { readonly from: number; readonly limit: number }) => Promise<readonly LoggedEvent[]>
  /** Exchanges with a receipt, newest first, older than `beforeId` when given. */
  readonly listReceipts: (limit: number, beforeId?: string) => Promise<ExchangeRecord[]>
  /** Throws `receipt-unknown`. */
  readonly exportEvidence: (id: string) => Promise<EvidenceExport>
  /** Writes a change to the audit log; durable when it resolves. Throws `record-failed`. */
  readonly recordChange: (change: AdminChange) => Promise<void>
  /** Told of errors that are the node's own fault; the caller reads only a request id. */
  readonly onInternalError: (error: unknown, requestId: string) => void
  /** Told of what a partner answered an operator's call with, where the caller reads only that it cannot be used. */
  readonly onUnusableAnswer: (error: unknown) => void
}

/** One change over the admin API, as the audit log keeps it. INVARIANT: it is recorded before the change takes effect;
 *  one that then fails is recorded once more, with its `problem`. Agreements, consents and policies record their changes
 *  themselves, in the transaction that makes them. */
export interface AdminChange {
  readonly action:
    | 'partner-add'
    | 'partner-remove'
    | 'product-add'
    | 'product-life'
    | 'product-remove'
    | 'keys-rotate'
    | 'consent-link'
    | 'replica-remove'
    | 'subject-link'
    | 'subject-reset'
    | 'subject-readmit'
    | 'webhook-replay'
    | 'webhook-test'
  /** Alias, id, purposes, or the handle of a person. */
  readonly target: string
  /** SHA-256 (base64url) of the canonical JSON of what was there, and of what will be; no secret goes into it. */
  readonly before?: string | undefined
  readonly after?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
  /** Code of the problem that kept the change from happening. */
  readonly problem?: string | undefined
}

export interface PartnerRecord {
  readonly alias: string
  readonly did: string
  readonly url: string
  readonly tlsFingerprints: readonly string[]
  readonly requireClientCertificate: boolean
  readonly country?: string | undefined
  readonly name?: string | undefined
  readonly sealing?: SealingSettings | undefined
}

export interface KnownPartner extends PartnerRecord {
  readonly source: 'configuration' | 'storage'
}

export interface PartnersPort {
  list(): readonly KnownPartner[]
  find(aliasOrDid: string): KnownPartner | undefined
  /** The pins in force, which follow the partner's rotations. */
  trustFor(did: string): { readonly fingerprints: readonly string[] } | undefined
  /** Judges an operator's input. Throws `malformed-request` with every mistake in `errors`, `did-invalid`. */
  parse(input: unknown): PartnerRecord
  /** Adds what `parse` accepted. Throws `already-exists`, `storage-failed`. */
  add(input: unknown): Promise<KnownPartner>
  /** Throws `partner-unknown`, `malformed-request` for a partner of the configuration, `storage-failed`. */
  remove(aliasOrDid: string): Promise<unknown>
}

export interface OfferedProduct {
  readonly id: string
  readonly version: string
  readonly productClass: 'public' | 'partner' | 'personal'
  readonly operationIds: readonly string[]
  /** Which API keys may come. */
  readonly keys: 'none' | 'plain' | 'hmac'
  /** Where it is not as the node's. */
  readonly environment: Environment | undefined
  readonly labelling: { fieldsOf(operation: string): readonly string[] }
  readonly settings: ProductSettings
  /** `hash` is SHA-256 of the text, in hex. */
  readonly document: { readonly hash: string; readonly root: object }
}

export interface ProductSettings {
  readonly id: string
  readonly title: string
  /** Values may be credentials. */
  readonly upstreamHeaders: Readonly<Record<string, unknown>>
  readonly deprecated?: string | undefined
  readonly sunset?: string | undefined
  readonly successor?: string | undefined
  readonly sealing?: SealingSettings | undefined
}

/** What the body of `POST /v1/products` was judged to be. */
export interface ProductRequest extends ProductSettings {
  /** The OpenAPI document as text. */
  readonly document: string
}

export interface ProductsPort {
  list(): readonly { readonly product: OfferedProduct; readonly declaredIn: 'configuration' | 'admin' }[]
  get(id: string): OfferedProduct | undefined
  /** Judges an operator's input. Throws `malformed-request` with every mistake in `errors`. */
  parse(input: unknown): ProductRequest
  /** Throws `already-exists`, `openapi-invalid`, `storage-failed`. */
  add(request: ProductRequest): Promise<OfferedProduct>
  /** Says when a version ends and what follows. Throws `product-unknown`, `already-exists` for a product of the
   *  configuration and for a second current version, `malformed-request`, `storage-failed`. */
  setLife(id: string, life: ProductLife): Promise<OfferedProduct>
  /** Throws `product-unknown`, `already-exists` for a product of the configuration, `storage-failed`. */
  remove(id: string): Promise<void>
}

/** When a version ends and what follows; ISO 8601, and an address. */
export interface ProductLife {
  readonly deprecated?: string | undefined
  readonly sunset?: string | undefined
  readonly successor?: string | undefined
}

export interface AgreementRecord {
  readonly id: string
  readonly state: 'pending' | 'in-force' | 'expired' | 'terminated'
  readonly role: 'holder' | 'recipient'
  readonly partner: string
  readonly permissions: readonly {
    readonly products: readonly string[]
    readonly operations?: readonly string[]
    readonly purposes?: readonly string[]
    readonly from?: string
    readonly until?: string
  }[]
  /** Others that cover some of the same calls. */
  readonly overlaps: readonly AgreementOverlap[]
  readonly termination?: { readonly by: string; readonly at: string; readonly reason: string }
}

export interface AgreementOverlap {
  /** Its id. */
  readonly agreement: string
  readonly products: readonly string[]
}

export interface DraftRequest {
  readonly assigner: string
  readonly assignee: string
  readonly products: readonly string[]
  readonly operations?: readonly string[] | undefined
  readonly purposes?: readonly string[] | undefined
  readonly fromMs?: number | undefined
  readonly untilMs?: number | undefined
}

export interface AgreementsPort {
  list(): readonly AgreementRecord[]
  /** Throws `agreement-unknown`. */
  show(id: string): AgreementRecord & { readonly envelope: AgreementEnvelope }
  draft(request: DraftRequest): AgreementEnvelope
  sign(document: unknown): Promise<AgreementEnvelope>
  import(document: unknown, condition?: Condition): Promise<AgreementRecord>
  overlaps(document: unknown): readonly AgreementOverlap[]
  terminate(id: string, reason: string, condition?: Condition): Promise<AgreementRecord>
}

export type RotatablePurpose = 'authentication' | 'assertionMethod' | 'keyAgreement' | 'tls'

export interface KeysPort {
  list(): readonly KeyView[]
  /** Throws `key-rotation-refused`, `storage-failed`. */
  rotate(request: {
    readonly purposes: readonly RotatablePurpose[]
    readonly publishForMs: number
    readonly overlapMs: number
    readonly algorithm?: 'ecdsa-p256-sha256' | 'ed25519' | undefined
  }): Promise<readonly KeyView[]>
}

/** An event of the log; without `body` when the person that it was about has been erased. */
export type LoggedEvent = Omit<LoggedEventView, 'body' | 'erased'> & { readonly body: string | undefined }

/** A stored exchange. */
export interface ExchangeRecord {
  /** Id of the log event. */
  readonly id: string
  /** Id of the exchange as the holder numbered it. */
  readonly exchangeId: string
  readonly role: 'holder' | 'recipient'
  readonly peer: string | undefined
  readonly receipt: string | undefined
  /** Without a signature where the caller came with an API key. */
  readonly request: { readonly base: string; readonly signature?: string | undefined } | undefined
  readonly response: SignatureRecord | undefined
  /** What opens the receipt's commitments to sealed contents. */
  readonly sealed?: EvidenceBundle['sealed']
  /** What was signed went with the person that the call was about. */
  readonly erased: boolean
}

/** A signature that verified, and the text that it is over. `signature` is base64url. */
export interface SignatureRecord {
  readonly base: string
  readonly signature: string
}
