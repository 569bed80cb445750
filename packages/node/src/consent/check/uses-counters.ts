/** How often a consent may still be used. What was released is counted in the storage; what is on its way is held in
 *  memory, so that of any number of calls at once no more are let through than are left. A process is alone on its
 *  database, and what it held when it died was not released. */
import type { ConsentUsesStore, UseCounter } from './uses-store.ts'

/** How often a counter may be used: `maxUses` ever, `max` in any `perMs` milliseconds. */
export interface CounterLimit {
  readonly counter: UseCounter
  readonly maxUses?: number | undefined
  readonly max?: number | undefined
  readonly perMs?: number | undefined
}

export type HoldVerdict =
  | { readonly allowed: true; readonly hold: UseHold }
  /** `retryAfterMs` is undefined when no more uses are left ever. */
  | { readonly allowed: false; readonly retryAfterMs: number | undefined }

/** A use on its way. */
export interface UseHold {
  /** `releasedMs` is when the answer was recorded; undefined when none left. Only the first call counts. */
  end(releasedMs: number | undefined): void
}

interface Counted {
  /** Released ever. */
  total: number
  /** Times of releases, oldest first: all of the last `coversMs`, or the newest `coversMax` of them. */
  times: number[]
  readonly coversMs: number
  readonly coversMax: number
  held: number
  /** Called when nothing is held any more. */
  readonly drained: (() => void)[]
}

/** How long to wait when all that is left is on its way to somebody. */
const heldRetryMs = 1_000

export class UseCounters {
  readonly #store: ConsentUsesStore
  readonly #maxCounters: number
  /** Least recently used first. */
  readonly #counted = new Map<string, Counted>()
  readonly #loading = new Map<string, Promise<void>>()

  /** Keeps so many counters in memory, and as many more as are held. */
  constructor(store: ConsentUsesStore, maxCounters = 5_000) {
    this.#store = store
    this.#maxCounters = maxCounters
  }

  /** Holds one use of each counter, or none. */
  async hold(limits: readonly CounterLimit[], nowMs: number): Promise<HoldVerdict> {
    for (;;) {
      const waits = limits.flatMap((limit) => this.#prepare(limit, nowMs) ?? [])
      // INVARIANT: between the last wait and the hold nothing else runs.
      if (waits.length === 0) return this.#holdNow(limits, nowMs)
      await Promise.all(waits)
    }
  }

  #holdNow(limits: readonly CounterLimit[], nowMs: number): HoldVerdict {
    const counted = limits.map((limit) => this.#counted.get(keyOf(limit.counter)) as Counted)
    const refusals = limits.flatMap((limit, index) => decideUse(counted[index] as Counted, limit, nowMs) ?? [])
    if (refusals.length > 0) return { allowed: false, retryAfterMs: latest(refusals) }
    for (const each of counted) each.held += 1
    return { allowed: true, hold: { end: once((releasedMs) => endHold(counted, releasedMs)) } }
  }

  /** What must be waited for before the counter can be judged by this limit. */
  #prepare({ counter, max = 0, perMs = 0 }: CounterLimit, nowMs: number): Promise<void> | undefined {
    const key = keyOf(counter)
    const underway = this.#loading.get(key)
    if (underway !== undefined) return underway
    const known = this.#counted.get(key)
    if (known !== undefined && known.coversMs >= perMs && known.coversMax >= max) {
      this.#touch(key, known)
      return undefined
    }
    // The terms changed: what is on its way would be counted twice, or not at all, if it were read anew now.
    if (known !== undefined && known.held > 0) return new Promise((resolve) => known.drained.push(resolve))
    const loading = this.#load(counter, { coversMs: perMs, coversMax: max }, nowMs).finally(() =>
      this.#loading.delete(key),
    )
    this.#loading.set(key, loading)
    return loading
  }

  async #load(counter: UseCounter, covers: Pick<Counted, 'coversMs' | 'coversMax'>, nowMs: number): Promise<void> {
    const { coversMs, coversMax } = covers
    const total = await this.#store.count(counter)
    const times = coversMax === 0 ? [] : await this.#store.timesAfter(counter, nowMs - coversMs, coversMax)
    this.#touch(keyOf(counter), { total, times: times.toReversed(), ...covers, held: 0, drained: [] })
  }

  #touch(key: string, counted: Counted): void {
    this.#counted.delete(key)
    this.#counted.set(key, counted)
    if (this.#counted.size <= this.#maxCounters) return
    for (const [oldest, { held }] of this.#counted) {
      if (held > 0 || oldest === key) continue
      this.#counted.delete(oldest)
      return
    }
  }
}

function keyOf({ consent, grant, link }: UseCounter): string {
  return JSON.stringify([consent, grant, link])
}

/** In how many milliseconds there is a use again (`Infinity` for never); undefined when there is one now. */
function decideUse({ total, times, held }: Counted, limit: CounterLimit, nowMs: number): number | undefined {
  const { maxUses, max, perMs } = limit
  if (maxUses !== undefined && total >= maxUses) return Number.POSITIVE_INFINITY
  if (maxUses !== undefined && total + held >= maxUses) return heldRetryMs
  if (max === undefined || perMs === undefined) return undefined
  const recent = times.filter((time) => time > nowMs - perMs)
  if (recent.length + held < max) return undefined
  const firstToLeave = recent[recent.length - max]
  return firstToLeave === undefined ? heldRetryMs : firstToLeave + perMs - nowMs
}

function latest(refusals: readonly number[]): number | undefined {
  const retryAfterMs = Math.max(...refusals)
  return Number.isFinite(retryAfterMs) ? retryAfterMs : undefined
}

function endHold(counted: readonly Counted[], releasedMs: number | undefined): void {
  for (const each of counted) {
    each.held -= 1
    if (releasedMs !== undefined) release(each, releasedMs)
    if (each.held === 0) for (const resolve of each.drained.splice(0)) resolve()
  }
}

function release(counted: Counted, releasedMs: number): void {
  const { coversMs, coversMax } = counted
  counted.total += 1
  if (coversMax === 0) return
  const times = [...counted.times.filter((time) => time > releasedMs - coversMs), releasedMs]
  counted.times = times.toSorted((a, b) => a - b).slice(-coversMax)
}

function once<T>(run: (value: T) => void): (value: T) => void {
  let isDone = false
  return (value) => {
    if (isDone) return
    isDone = true
    run(value)
  }
}
