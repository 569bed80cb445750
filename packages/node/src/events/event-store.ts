/** What the outbox and the inbox keep. Writes that belong to a larger transaction are given as statements. */
import type { Statement } from '../storage/database.ts'

/** An event that this node tells another. */
export interface OutgoingEvent {
  /** The token's `jti`. */
  readonly id: string
  /** DID. */
  readonly recipient: string
  /** Event URI. */
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly occurredMs: number
}

/** An event on its way, or arrived. */
export interface OutboxEntry extends OutgoingEvent {
  readonly attempts: number
  readonly nextAttemptMs: number
  /** The payload as it is kept, when that is under a key of the vault; `payload` is empty then. */
  readonly sealed: string | undefined
  /** Why the last try failed, or why there will be none. */
  readonly lastError: string | undefined
  /** The token that the recipient acknowledged; of an event that was kept sealed `sha-256:` and the token's hash in
   *  base64url. */
  readonly token: string | undefined
  /** When it was acknowledged; without `token` the event was dropped then. */
  readonly acknowledgedMs: number | undefined
}

export interface EventStore {
  /** Puts an event into the outbox, due at `nowMs`; the same id twice counts once. With `sealed` that is kept in the
   *  place of the payload. */
  insertOutgoing(event: OutgoingEvent, nowMs: number, sealed?: string): Statement
  /** Who has unacknowledged events due, the longest waiting first; at most `limit`. */
  findDueRecipients(nowMs: number, limit: number): Promise<string[]>
  /** The recipient's unacknowledged events that are due, oldest first; at most `limit`. */
  findDue(recipient: string, nowMs: number, limit: number): Promise<OutboxEntry[]>
  /** When, after then, the next unacknowledged event falls due; undefined for never. */
  nextDueMs(afterMs: number): Promise<number | undefined>
  /** A payload that was kept sealed goes with it. */
  saveAcknowledged(id: string, token: string, atMs: number): Promise<void>
  /** Ends an event that cannot be told any more, and forgets its payload. */
  saveDropped(id: string, reason: string, atMs: number): Promise<void>
  saveFailed(
    id: string,
    failure: { readonly attempts: number; readonly nextAttemptMs: number; readonly error: string },
  ): Promise<void>
  /** Puts off everything for the recipient until then, without counting a try. */
  postpone(recipient: string, untilMs: number): Promise<void>
  /** The outbox, unacknowledged events first, then the latest; at most `limit`. */
  listOutgoing(limit: number): Promise<OutboxEntry[]>

  /** True when the token was taken before. */
  hasReceived(issuer: string, id: string): Promise<boolean>
  /** Notes that the token was taken. */
  insertReceived(issuer: string, id: string, atMs: number): Statement
  /** Forgets the tokens that were taken before then. */
  deleteReceivedBefore(atMs: number): Statement
}
