/** What replicas ask of the other parts of the node. */
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import type { Clock } from '@comity/core/ports'
import type { ProblemCode } from '@comity/core/problems'
import type { Reply } from '../http/problem-response.ts'
import type { ReceivedRequest } from '../http/received-request.ts'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { ReplicaRule } from './replica.ts'
import type { ReplicaStore } from './replica-store.ts'

/** A consent that this node was given, or a delegation to it, as it stands here. */
export interface HeldForReplica {
  readonly id: string
  readonly consent: string
  /** DID. */
  readonly holder: string
  readonly delegation: string | undefined
  /** Handle of the person's key. */
  readonly subject: string | undefined
  readonly state: string
  readonly rev: number
  readonly hash: string | undefined
  readonly expiresMs: number | undefined
}

export interface HeldPort {
  find(id: string): Promise<HeldForReplica | undefined>
  findByConsent(consent: string): Promise<readonly HeldForReplica[]>
  /** What it grants; empty when the person was erased. */
  scopesOf(id: string): Promise<readonly ConsentScope[]>
  /** Reads at its source how it stands now. Throws what the source answers. */
  refresh(id: string): Promise<unknown>
  /** SQL condition: it is active, with this record. */
  stands(held: { readonly id: string; readonly hash: string | undefined }): Statement
}

/** A call that this node makes as it makes those of its applications. */
export interface CallToMake {
  readonly request: ReceivedRequest
  readonly body: () => Uint8Array
  readonly takesStream: boolean
  /** A streamed answer of up to so many bytes is read whole all the same. */
  readonly wholeUpTo?: number | undefined
}

/** An event of the log that is about an exchange. */
export interface ReplicaEvent {
  readonly id: string
  readonly type: 'exchange' | 'replicas-removed'
  readonly timeMs: number
  readonly body: string
  readonly subject?: SubjectKey
}

export interface AgreementOfReplica {
  readonly holder: string
  readonly product: string
  readonly operation: string | undefined
  readonly purpose: string | undefined
  readonly agreement: string
}

export interface ReplicasParts {
  readonly clock: Clock
  readonly newId: () => string
  readonly store: ReplicaStore
  readonly vault: Pick<SubjectVault, 'handleOf' | 'open' | 'unseal'>
  readonly rules: readonly ReplicaRule[]
  readonly findPartner: (aliasOrDid: string) => { readonly did: string } | undefined
  /** Partner, product and path below it. Throws `not-found`. */
  readonly routeOf: (path: string) => { readonly partner: string; readonly product: string; readonly path: string }
  /** Pairwise id of the person that a call names. Throws `malformed-request`. */
  readonly personIn: (request: ReceivedRequest) => string | undefined
  readonly hasAgreement: (question: AgreementOfReplica) => boolean
  readonly held: HeldPort
  /** Recorded by the node like every call; errors are answers. */
  readonly call: (call: CallToMake) => Promise<Reply>
  readonly execute: (statements: readonly Statement[]) => Promise<readonly number[]>
  /** Durable when it resolves, together with the statements. Throws `record-failed`. */
  readonly record: (event: ReplicaEvent, effects?: readonly Statement[]) => Promise<unknown>
  readonly trustedAuthorities: ReadonlySet<string>
  /** Counts a caller that was not identified. */
  readonly countRefused: (code: ProblemCode, remoteAddress: string) => void
  readonly onError: (error: unknown) => void
}
