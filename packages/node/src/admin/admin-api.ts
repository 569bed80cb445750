/** Shapes of the admin API's answers, version 1. The `comity` command reads exactly these. */
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'

/** `GET /v1/status`. */
export interface NodeStatus {
  readonly did: string
  readonly name: string
  readonly version: string
  readonly url: string
  readonly ready: boolean
  readonly uptimeMs: number
  /** `sha256:…` of the TLS key now in use. */
  readonly fingerprint: string
  readonly ports: {
    readonly public: number
    readonly local: number
    readonly admin: number
    /** Where there are pages for people. */
    readonly people?: number | undefined
  }
  readonly log: { readonly origin: string; readonly verifierKey: string; readonly size: number }
  readonly counts: { readonly partners: number; readonly products: number; readonly agreements: number }
}

/** Where an entry was declared. What stands in the configuration cannot be removed over the API. */
export type Source = 'configuration' | 'admin'

export interface PartnerView {
  readonly alias: string
  readonly did: string
  readonly url: string
  /** Pins in force; none when a public authority must vouch for the host. */
  readonly fingerprints: readonly string[]
  readonly requireClientCertificate: boolean
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | undefined
  readonly name?: string | undefined
  /** What is demanded of the contents exchanged with it; what its document announces when absent. */
  readonly sealing?: SealingSettings | undefined
  readonly source: Source
}

export interface ProductView {
  readonly id: string
  readonly title: string
  readonly version: string
  readonly class: 'public' | 'partner' | 'personal'
  readonly operations: readonly string[]
  readonly source: Source
  /** RFC 3339; the version is reached as `id@version` when another one is current. */
  readonly deprecated?: string
  readonly sunset?: string
  /** As it was declared: an id or `id@version`. */
  readonly successor?: string
}

export interface AgreementView {
  readonly id: string
  readonly state: 'in-force' | 'pending' | 'expired' | 'terminated'
  readonly assigner: string
  readonly assignee: string
  readonly products: readonly string[]
  readonly operations: readonly string[] | undefined
  readonly purposes: readonly string[] | undefined
  /** ISO 8601. */
  readonly notBefore: string | undefined
  readonly notAfter: string | undefined
  readonly terminated: { readonly at: string; readonly by: string; readonly reason: string } | undefined
  /** Other agreements that cover some calls of these products too: such a call must name one of them. */
  readonly overlaps: readonly OverlapView[]
  /** Each permission for itself; the members above tell what any of them allows. */
  readonly permissions: readonly PermissionView[]
  /** The document with its signatures; in `show` only. */
  readonly envelope?: unknown
}

/** In `POST /v1/agreements/overlaps`, too. */
export interface OverlapView {
  /** Id of the other agreement. */
  readonly agreement: string
  readonly products: readonly string[]
}

/** One permission of an agreement. `until` is the first moment at which it holds no longer. */
export interface PermissionView {
  readonly products: readonly string[]
  readonly operations?: readonly string[]
  readonly purposes?: readonly string[]
  readonly from?: string
  readonly until?: string
}

/** `GET /v1/webhooks`: what waits for one of the operator's own systems. */
export interface WebhookView {
  /** Origin. */
  readonly endpoint: string
  readonly waiting: number
  /** ISO 8601; with `lastError` there when something waits. */
  readonly oldest?: string | undefined
  readonly lastError?: string | undefined
  /** In the last 30 days. */
  readonly givenUp: number
}

/** One of the participant's own keys. Times are milliseconds since the epoch. */
export interface KeyView {
  readonly keyid: string
  readonly purpose: 'authentication' | 'assertionMethod' | 'keyAgreement' | 'tls' | 'log'
  readonly state: 'pending' | 'active' | 'retiring' | 'retired'
  readonly createdAtMs: number
  readonly activeAtMs: number
  readonly retiringAtMs?: number | undefined
  readonly retiredAtMs?: number | undefined
  /** `sha256:…`, of a TLS key. */
  readonly fingerprint?: string | undefined
}

export interface LoggedEventView {
  readonly position: number
  readonly id: string
  readonly type: string
  readonly timeMs: number
  /** JSON text; not there when `erased`. */
  readonly body?: string
  /** The person that the event was about has been erased: its entry stands in the log, what it said is gone. */
  readonly erased?: true
}

export interface ReceiptView {
  /** Id of the exchange in this node's log. */
  readonly id: string
  readonly exchangeId: string
  readonly role: 'holder' | 'recipient'
  readonly peer: string | undefined
  readonly product: string
  readonly operation: string | undefined
  readonly status: number
  readonly timeMs: number
}

/** `GET /v1/exchanges/{id}/evidence`. */
export interface EvidenceExport {
  readonly id: string
  readonly evidence: EvidenceBundle
  /** What could not be had and is therefore not in the evidence: sentences. */
  readonly missing: readonly string[]
}
