/** Delivers what an outbox in the storage holds until it is taken: several receivers at once, one thing after the other
 *  for each. What failed is tried again later, across restarts, since when that is due stands in the storage. */
import { setImmediate } from 'node:timers/promises'
import { redeliveryDelayMs } from '@comity/core/events/redelivery'
import type { Clock, RandomBytes } from '@comity/core/ports'

/** How a try to deliver ended. */
export type DeliveryOutcome =
  | { readonly acknowledged: true }
  | {
      readonly acknowledged: false
      /** For the operator; nothing of what was to be delivered. */
      readonly reason: string
      readonly retryAfterMs?: number | undefined
      /** The receiver will not take this one as it is. */
      readonly isRefused?: boolean | undefined
    }

/** What is known of a try that failed. */
export interface DeliveryFailure {
  readonly attempts: number
  readonly nextAttemptMs: number
  readonly error: string
}

/** An outbox, and how its entries are delivered. */
export interface RedeliveryParts<Entry extends { readonly attempts: number }> {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Receivers that are served at the same time. */
  readonly maxAtOnce: number
  /** Who may have something due, the longest waiting first; the same name is the same receiver. */
  findReceivers(nowMs: number): Promise<readonly string[]>
  /** When, after then, the next entry falls due; undefined for never. */
  nextDueMs(afterMs: number): Promise<number | undefined>
  /** The receiver's entries that are due, oldest first: as many as one turn takes. */
  findDue(receiver: string, nowMs: number): Promise<readonly Entry[]>
  /** Tries once, and saves what was acknowledged. Undefined when there is nothing left to deliver. `signal` aborts when
   *  the node stops. */
  attempt(entry: Entry, signal: AbortSignal): Promise<DeliveryOutcome | undefined>
  saveFailed(entry: Entry, failure: DeliveryFailure): Promise<void>
  /** Puts off everything for the receiver until then, without counting a try. */
  postpone(receiver: string, untilMs: number): Promise<void>
  /** Told of what went wrong on this node's side; the deliveries go on. */
  readonly onError: (error: unknown) => void
}

/** The clock may be set: never sleep longer than this. */
const maxSleepMs = 60_000
const pauseAfterErrorMs = 5_000
/** While others wait for a place, a receiver that took longer gives its own up, after the entry that it had. */
const maxTurnMs = 1_000

export class Redelivery<Entry extends { readonly attempts: number }> implements AsyncDisposable {
  readonly #parts: RedeliveryParts<Entry>
  readonly #stopping = new AbortController()
  /** Deliveries under way, by receiver: a slow one holds up nobody else. */
  readonly #deliveries = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isWoken = false
  /** Somebody waits for a place. */
  #isFull = false
  /** Since then, in order. */
  readonly #served = new Set<string>()

  constructor(parts: RedeliveryParts<Entry>) {
    this.#parts = parts
  }

  /** Starts the deliveries, or looks at once for what has just been written. */
  wake(): void {
    if (this.#stopping.signal.aborted) return
    this.#isWoken = true
    this.#looking ??= this.#look()
  }

  /** Resolves when everything that is due was tried once. */
  async settled(): Promise<void> {
    while (this.#looking !== undefined || this.#deliveries.size > 0) {
      await Promise.all([this.#looking, ...this.#deliveries.values()])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.settled()
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#isWoken && !this.#stopping.signal.aborted) {
      this.#isWoken = false
      // Deliveries that fail at once would otherwise follow each other with nothing else let in between.
      await setImmediate()
      try {
        await this.#startDeliveries()
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#looking = undefined
  }

  async #startDeliveries(): Promise<void> {
    const { clock, maxAtOnce, findReceivers, nextDueMs } = this.#parts
    const nowMs = clock.now()
    for (const receiver of this.#inTurn(await findReceivers(nowMs))) {
      if (this.#deliveries.has(receiver)) continue
      if (this.#deliveries.size >= maxAtOnce) {
        this.#isFull = true
        return
      }
      this.#served.delete(receiver)
      this.#deliveries.set(receiver, this.#serve(receiver))
    }
    this.#isFull = false
    this.#served.clear()
    const dueMs = await nextDueMs(nowMs)
    if (dueMs !== undefined) this.#wakeIn(Math.min(maxSleepMs, Math.max(0, dueMs - nowMs)))
  }

  /** Who was served while others waited comes after all who were not, and after those who were before. */
  #inTurn(receivers: readonly string[]): readonly string[] {
    const due = new Set(receivers)
    return [
      ...receivers.filter((receiver) => !this.#served.has(receiver)),
      ...[...this.#served].filter((receiver) => due.has(receiver)),
    ]
  }

  async #serve(receiver: string): Promise<void> {
    try {
      const isMore = await this.#deliverTo(receiver)
      this.#deliveries.delete(receiver)
      if (this.#isFull) this.#served.add(receiver)
      if (isMore || this.#isFull) this.wake()
    } catch (error) {
      this.#deliveries.delete(receiver)
      this.#fail(error)
    }
  }

  /** After a failure the rest waits too: the receiver is most likely away. A refusal is about one entry only. Gives true
   *  when something was tried, so that it is worth to look again. */
  async #deliverTo(receiver: string): Promise<boolean> {
    const { clock, randomBytes, findDue, attempt, saveFailed, postpone } = this.#parts
    const { signal } = this.#stopping
    const beganMs = clock.now()
    const due = await findDue(receiver, beganMs)
    for (const [index, entry] of due.entries()) {
      if (signal.aborted) return false
      if (index > 0 && this.#isFull && clock.now() - beganMs > maxTurnMs) break
      const outcome = await attempt(entry, signal)
      if (outcome === undefined || outcome.acknowledged) continue
      if (signal.aborted) return false
      const attempts = entry.attempts + 1
      const nextAttemptMs = clock.now() + redeliveryDelayMs({ ...outcome, attempts }, randomFraction(randomBytes))
      await saveFailed(entry, { attempts, nextAttemptMs, error: outcome.reason })
      if (outcome.isRefused === true) continue
      await postpone(receiver, nextAttemptMs)
      break
    }
    return due.length > 0
  }

  #fail(error: unknown): void {
    this.#parts.onError(error)
    this.#wakeIn(pauseAfterErrorMs)
  }

  #wakeIn(delayMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.wake(), delayMs).unref()
  }
}

/** In [0, 1). */
function randomFraction(randomBytes: RandomBytes): number {
  const bytes = randomBytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}
