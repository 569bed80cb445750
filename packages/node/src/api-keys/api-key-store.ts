/** What the API keys keep. Writes are statements, for the transaction that records the change. */
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { Statement } from '../storage/database.ts'
import type { ApiKeyRecord, KeyState } from './api-key-record.ts'
import type { Client } from './client.ts'

export interface ApiKeyFilter {
  readonly client?: string | undefined
  readonly state?: KeyState | undefined
  /** From behind this id. */
  readonly after?: string | undefined
  readonly limit: number
}

export interface RotationFilter {
  readonly client?: string | undefined
  /** Id of the old key or of its successor. */
  readonly key?: string | undefined
  /** Only those that have not ended. */
  readonly isRunning?: boolean | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** What a key succeeds. */
export interface Succession {
  /** Id of the old key. */
  readonly succeeds: string
  /** Whether its client claimed it, with the old key. */
  readonly isClaimed: boolean
}

/** Every read throws `storage-failed` when the storage does. */
export interface ApiKeyStore {
  /** By id, those that were removed too. */
  listClients(): Promise<Client[]>
  insertClient(client: Client): Statement
  updateClient(client: Client): Statement
  /** Those that have not ended before then. */
  loadKeys(endedSinceMs: number): Promise<ApiKeyRecord[]>
  /** By id, every key that was ever made to succeed another. */
  loadSuccessions(): Promise<Map<string, Succession>>
  findKey(id: string): Promise<ApiKeyRecord | undefined>
  /** Oldest first. */
  listKeys(filter: ApiKeyFilter): Promise<ApiKeyRecord[]>
  insertKey(key: ApiKeyRecord): Statement
  /** Writes what of a key can change. */
  updateKey(key: ApiKeyRecord): Statement
  findRotation(id: string): Promise<KeyRotation | undefined>
  /** Oldest first. */
  listRotations(filter: RotationFilter): Promise<KeyRotation[]>
  insertRotation(rotation: KeyRotation): Statement
  updateRotation(rotation: KeyRotation): Statement
}
