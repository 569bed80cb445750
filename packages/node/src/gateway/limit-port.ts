/** What the gateway asks of the limits. */
import type { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type { OfferedProduct } from './ports.ts'

/** An operation, and how many units of the limits a call of it takes. */
export interface CalledOperation {
  readonly id: string
  readonly units: number
}

export interface RateVerdict {
  readonly admitted: boolean
  readonly retryAfterSeconds: number
  /** The announcing header fields, name and value in turn. */
  readonly fields: readonly string[]
}

export interface LimitsPort {
  /** Cheap gate by address before anything is computed. */
  admitAddress(remoteAddress: string, nowMs: number): RateVerdict
  /** Seconds for which an address that failed to authenticate too often is told to wait; 0 for any other. */
  penaltySeconds(remoteAddress: string, claimedKey: string, nowMs: number): number
  /** Called for every failed authentication. */
  penalise(remoteAddress: string, claimedKey: string, nowMs: number): void
  /** Charges all limits of a call that are known when it comes in, together or not at all. Answers at once where they
   *  are counted in this process. */
  admitCall(call: CallToLimit, nowMs: number): LimitAnswer | Promise<LimitAnswer>
}

/** A call, as limits look at it. */
export interface CallToLimit {
  /** Who is counted: a DID, or `ip:…` of somebody who is nobody's partner. */
  readonly caller: string
  readonly alias: string | undefined
  /** As it is counted. */
  readonly address: string
  /** Id of the credential, and the client whose it is; undefined for who has none that counts. */
  readonly key: string | undefined
  readonly client: string | undefined
  readonly credential: 'none' | 'signature' | 'api-key' | 'hmac-key'
  readonly product: OfferedProduct
  /** Asked for only when a limit depends on it; undefined when it is not known yet. */
  readonly operation: () => CalledOperation | undefined
}

/** How the limits of a call stand. */
export interface LimitAnswer {
  /** The announcing header fields, name and value in turn. */
  readonly fields: readonly string[]
  /** Why the call ends here; undefined when it goes on. */
  readonly refusal: Problem | undefined
  /** What an admitted call holds until its end. */
  readonly hold: LimitHold | undefined
}

/** The limits of a call that was admitted. */
export interface LimitHold {
  /** Units that the call has taken so far. */
  readonly units: number
  /** Charges what is known only now; undefined when no limit depends on it. Where it is refused, what was charged before
   *  is given back. `subject` is the reference of whom the call is about. */
  chargeLater(
    known: { readonly operation: CalledOperation; readonly subject: string | undefined },
    nowMs: number,
  ): LimitAnswer | Promise<LimitAnswer> | undefined
  /** Writes down what the call used of quotas; goes into the transaction that records it. */
  statements(): readonly Statement[]
  /** Called when the statements are durable. */
  recorded(): void
  /** Ends the call: its slots are free again. Only the first time counts. */
  end(): void
}
