/** What is kept of the webhooks of clients. Writes are statements, for the transaction that records the change. */
import type { Statement } from '../storage/database.ts'
import type { ClientWebhook } from './client-webhook.ts'

/** Every read throws `storage-failed` when the storage does, or for a row that is damaged or of another key. */
export interface ClientWebhookStore {
  /** All that messages may still go to, oldest first. */
  load(): Promise<ClientWebhook[]>
  /** How many a client has added itself since then, removed ones too. */
  countAdded(client: string, sinceMs: number): Promise<number>
  insert(webhook: ClientWebhook): Statement
  /** Writes what of it can change: state, secrets, code, end. */
  update(webhook: ClientWebhook): Statement
  /** Takes its address and its secrets away, for good. */
  remove(id: string, atMs: number): Statement
  /** Ends all of a client: active ones take what is written already, the others are removed. */
  endAll(client: string, atMs: number): Statement[]
  /** Forgets what ended before then, and what was never confirmed and is older than that. */
  prune(before: { readonly endedMs: number; readonly unconfirmedMs: number }): Promise<void>
}
