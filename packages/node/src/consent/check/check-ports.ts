/** What the check of calls asks of the rest of the node; `assembly` gives it something that fits. */
import type { Statement } from '../../storage/database.ts'
import type { SubjectVault } from '../../vault/vault.ts'
import type { ChainParts } from './check-chain.ts'
import type { ConsentStanding } from '../consent-service.ts'
import type { ConsentUsesStore } from './uses-store.ts'

/** One delegation of a chain. */
export interface DelegationLink {
  readonly consent: string
  readonly delegation: string
  /** DID. */
  readonly delegator: string
  /** DID. */
  readonly delegate: string
  /** 1 for a delegate of the recipient itself. */
  readonly depth: number
}

/** What the holder knows of delegations. */
export interface DelegationsPort {
  /** The delegations of a consent that are known so far. */
  list(consent: string): Promise<readonly (DelegationLink & { readonly endedMs: number | undefined })[]>
  /** Notes one that was unknown; the first word about a delegation stays. */
  note(link: DelegationLink, nowMs: number): Statement
}

export interface ConsentCheckParts extends ChainParts {
  readonly vault: SubjectVault
  /** The consent's own row, read anew for every call: the truth about it. */
  readonly standing: (id: string) => Promise<ConsentStanding | undefined>
  /** A statement that fails its transaction unless the consent is active with these terms. */
  readonly mustStand: (terms: { readonly id: string; readonly hash: string }) => Statement
  /** The subject's reference as the holder's systems know it; undefined when erased. */
  readonly referenceOf: (id: string) => Promise<string | undefined>
  /** The status of a delegation in its issuer's list. Throws `status-unavailable`. */
  readonly statuses: {
    check(status: { readonly uri: string; readonly idx: number }, issuer: string): Promise<string>
  }
  readonly delegations: DelegationsPort
  readonly uses: ConsentUsesStore
  /** Counters kept in memory; 5,000 unless told. */
  readonly maxCounters?: number | undefined
}
