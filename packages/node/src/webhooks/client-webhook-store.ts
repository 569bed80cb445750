/** What is kept of the webhooks of clients. Writes are statements, for the transaction that records the change. */
import type { Statement } from '../storage/database.ts'
import type { ClientWebhook } from './client-webhook.ts'

/** Every read throws `storage-failed` when the storage does, or for a row that is damaged or of another key. */
export interface ClientWebhookStore {
  /** All that messages may still go to, oldest first. */
  load(): Promise<ClientWebhook[]>
  insert(webhook: ClientWebhook): Statement
  /** Writes what of it can change: secrets and end. */
  update(webhook: ClientWebhook): Statement
  remove(id: string): Statement
  /** Ends all of a client. */
  endAll(client: string, atMs: number): Statement
  /** Forgets what ended before then. */
  prune(beforeMs: number): Promise<void>
}
