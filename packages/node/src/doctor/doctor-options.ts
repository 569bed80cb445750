/** What the doctor is given: the configuration, the world, and what the running node says of itself, if one runs. */
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { PeerTrust } from '../http/connector.ts'
import type { GuardedFetch } from '../http/guarded-fetch.ts'
import type { OverlapFacts } from './agreement-check.ts'

export interface DoctorOptions {
  readonly config: Config
  readonly environment: Environment
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Undefined when no node of this configuration answers. */
  readonly running: RunningFacts | undefined
  /** Guarded as the node's own calls are. */
  readonly fetch: GuardedFetch
}

export interface RunningFacts {
  readonly ports: {
    readonly public: number
    readonly local: number
    readonly admin: number
    /** Where there are pages for people. */
    readonly people?: number | undefined
  }
  readonly partners: readonly PartnerFacts[]
  readonly addedProducts: number
  /** How many may hold API keys; undefined for a node that does not tell. */
  readonly clients?: number | undefined
  /** Ids of them, and of all products; undefined for a node that does not tell. */
  readonly clientIds?: readonly string[] | undefined
  readonly productIds?: readonly string[] | undefined
  /** What each product seals, those that were added while the node runs too; undefined for a node that does not tell. */
  readonly sealing?: readonly SealingSettings[] | undefined
  /** Ids of products about people, those that were added while the node runs too. */
  readonly personalProducts?: readonly string[]
  readonly webhooks?: readonly WebhookFacts[]
  /** Undefined for a node that does not tell. */
  readonly policies?: PolicyFacts | undefined
  /** Agreements that cover the same calls. */
  readonly overlaps?: readonly OverlapFacts[]
}

/** The set of policies that a node decides by. */
export interface PolicyFacts {
  /** 0 for none. */
  readonly version: number
  readonly policies: number
  readonly hash?: string | undefined
  /** Sentences. */
  readonly warnings: readonly string[]
}

/** How it stands with what one of the own systems is told, or one client. */
export interface WebhookFacts {
  /** Origin. */
  readonly endpoint: string
  /** Undefined for an own system. */
  readonly client?: string | undefined
  readonly waiting: number
  /** ISO 8601: when what the oldest waiting message tells happened. */
  readonly oldest?: string | undefined
  readonly lastError?: string | undefined
  readonly dead: number
  readonly givenUp: number
}

export interface PartnerFacts {
  readonly alias: string
  readonly did: string
  readonly url: string
  readonly fingerprints: readonly string[]
  /** What is demanded of the contents exchanged with it. */
  readonly sealing?: SealingSettings | undefined
}

/** Why a partner's node is believed: its pins, or a public authority when there are none. */
export function trustIn({ fingerprints }: Pick<PartnerFacts, 'fingerprints'>): PeerTrust {
  return fingerprints.length > 0 ? { fingerprints } : { publicAuthority: true }
}
