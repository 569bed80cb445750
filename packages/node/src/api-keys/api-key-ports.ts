/** What the API keys ask of the other parts of the node. They import none of them; `assembly` gives them. */
import type { Environment } from '@comity/core/api-keys/api-key'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Statement } from '../storage/database.ts'
import type { ApiKeyStore } from './api-key-store.ts'
import type { KeyHashes } from './key-hashes.ts'
import type { KeyUseStore } from './key-use-store.ts'

/** What the operator's own systems, and the client's, are told; the payload is ids, words and times of the node's own. */
export type KeyNoticeType =
  | 'key.prepared'
  | 'key.rotating'
  | 'key.draining'
  | 'key.waiting'
  | 'key.retired'
  | 'key.rolled-back'
  | 'key.expiring'
  | 'key.disabled'
  | 'key.revoked'
  | 'key.unusual'

export interface KeyNotice {
  readonly type: KeyNoticeType
  readonly client: string
  readonly key: string
  readonly rotation?: string | undefined
  /** Id of the successor. */
  readonly successor?: string | undefined
  /** ISO 8601: when both keys begin to work. */
  readonly starts?: string | undefined
  /** ISO 8601: when the old key ends, or the key does. */
  readonly sunset?: string | undefined
  readonly expires?: string | undefined
  /** A word: why. */
  readonly reason?: string | undefined
  /** Id of the key that was revoked, of one that ended because it was claimed with it. */
  readonly claimedWith?: string | undefined
  /** Of a key that moves: the operator hands the next one over, and its client cannot fetch it. */
  readonly handedOver?: true | undefined
  /** Of a key that was revoked: ids of its client's keys that work now, the first hundred. */
  readonly working?: readonly string[] | undefined
}

/** A notice as a message. */
export interface KeyNoticeEvent {
  readonly type: KeyNoticeType
  readonly payload: Omit<KeyNotice, 'type'>
}

export interface ApiKeysParts {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly newId: () => string
  readonly hashes: KeyHashes
  readonly store: ApiKeyStore
  readonly uses: KeyUseStore
  /** Of the node, for keys that are issued without one. */
  readonly environment: Environment
  /** Writes the event and the statements in one transaction. Throws `record-failed`; then neither is there. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    statements: readonly Statement[],
  ) => Promise<unknown>
  readonly webhooks: {
    statement(event: KeyNoticeEvent): Statement[]
    /** Ends the webhooks of a client that is told that it is removed: `remove` makes it durable with these writes. */
    endWith(client: string, remove: (statements: readonly Statement[]) => Promise<void>): Promise<void>
    wake(): void
  }
  /** By alias or DID. */
  readonly findPartner: (aliasOrDid: string) => { readonly did: string } | undefined
  /** Told of each notice once it is written down. */
  readonly onNotice: (notice: KeyNotice) => void
  /** Told of a chore that failed; it is tried again. */
  readonly onError: (error: unknown) => void
}
