/** What the outbox of webhooks keeps. Writes that belong to a larger transaction are given as statements. */
import type { Statement } from '../storage/database.ts'

/** A message on its way. */
export interface WebhookEntry {
  readonly id: string
  /** URL. */
  readonly endpoint: string
  readonly type: string
  /** Text as the caller gave it, sealed or not; undefined once delivered, or dropped. */
  readonly payload: string | undefined
  readonly occurredMs: number
  readonly attempts: number
  readonly nextAttemptMs: number
  /** Why the last try failed; never holds anything of the payload. */
  readonly lastError: string | undefined
  readonly deliveredMs: number | undefined
  /** When it was given up; its payload stays as long as it can be sent again. */
  readonly deadMs: number | undefined
  /** When it was put in, or put in again. */
  readonly waitingSinceMs: number
}

/** Of a message that was not taken: it waits for its next try, or is a dead letter. */
export type WebhookState = 'waiting' | 'dead'

/** Names one message on its way to one endpoint. */
export type WebhookName = Pick<WebhookEntry, 'id' | 'endpoint'>

export interface WebhookStore {
  /** Puts a message into the outbox, due at once; with `condition` only where that holds when it is written. */
  insert(
    message: Pick<WebhookEntry, 'id' | 'endpoint' | 'type' | 'occurredMs'> & { payload: string },
    condition?: Statement,
  ): Statement
  /** Messages for the endpoint that are due, oldest first; at most `limit`. */
  findDue(endpoint: string, nowMs: number, limit: number): Promise<WebhookEntry[]>
  /** Clients' endpoints that have something due, the longest waiting first; at most `limit`. */
  findClientsDue(nowMs: number, limit: number): Promise<string[]>
  /** When, after then, the next message of all endpoints falls due; undefined for never. */
  nextDueMs(afterMs: number): Promise<number | undefined>
  /** Ends the message and takes its payload away. */
  saveDelivered(message: WebhookName, atMs: number): Promise<void>
  saveFailed(
    message: WebhookName,
    failure: { readonly attempts: number; readonly nextAttemptMs: number; readonly error: string },
  ): Promise<void>
  /** Makes it a dead letter: it is not tried any more, and can be sent again. */
  saveDead(
    message: WebhookName,
    end: { readonly attempts: number; readonly error: string; readonly atMs: number },
  ): Promise<void>
  /** Makes messages for the endpoint due at once: those of one id, or all, in one state, or in both. A dead letter is put
   *  in again, and one that waits goes on with the tries that it had. Gives how many. */
  resend(
    which: { readonly id?: string | undefined; readonly state?: WebhookState | undefined; readonly endpoint: string },
    nowMs: number,
  ): Promise<number>
  /** Ends the message undelivered and takes its payload away. */
  saveGivenUp(message: WebhookName, reason: string): Promise<void>
  /** The write that does so with everything for one endpoint, dead letters too. */
  giveUp(endpoint: string, reason: string): Statement
  /** Puts off everything for the endpoint until then, without counting a try. */
  postpone(endpoint: string, untilMs: number): Promise<void>
  /** Gives up what is for none of these endpoints, and for no client: it would keep a link for ever. */
  giveUpOthers(endpoints: readonly string[], reason: string): Promise<void>
  /** The outbox, messages on their way first, then dead letters, then the latest; at most `limit`. */
  list(limit: number): Promise<WebhookEntry[]>
  /** Forgets ended messages and dead letters of before then. */
  prune(beforeMs: number): Promise<void>
}
