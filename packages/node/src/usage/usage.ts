/** How much is called, by hours: counted in memory at once, written down with the next batch. A crash loses what was
 *  counted since the last one, a few seconds at most; what limits and the log need is not taken from here. */
import type { Clock } from '@comity/core/ports'
import {
  refusalClasses,
  refusalClassOf,
  usageDimensions,
  type RefusalClass,
  type UsageCounts,
  type UsedCall,
} from './usage-record.ts'
import { dayMs, hourMs, type UsageHour, type UsageStore } from './usage-store.ts'

export interface UsageParts {
  readonly store: UsageStore
  readonly clock: Clock
  /** How many days are kept, and of these how many by hours. */
  readonly keepDays: number
  readonly hourlyDays: number
}

type Counting = { -readonly [K in keyof UsageCounts]: UsageCounts[K] } & { refused: Record<RefusalClass, number> }
type Waiting = Omit<UsageHour, 'counts'> & { readonly counts: Counting }

/** What is told apart between two batches; further calls count without what tells them apart. */
const maxWaiting = 20_000

export class Usage implements AsyncDisposable {
  readonly store: UsageStore
  readonly #parts: UsageParts
  #waiting = new Map<string, Waiting>()

  constructor(parts: UsageParts) {
    this.#parts = parts
    this.store = parts.store
  }

  /** Counts a call that is over, in the hour of its end. */
  used(call: UsedCall): void {
    const { counts } = this.#waitingFor(call)
    counts.calls++
    if (call.outcome === 'failed') counts.failed++
    if (call.outcome === 'denied') counts.refused[refusalClassOf(call.code ?? '')]++
    counts.units += call.units
    counts.bytes += call.bytes
    const waitedMs = Math.max(0, Math.round(call.upstreamMs ?? 0))
    counts.upstreamMs += waitedMs
    if (waitedMs > counts.upstreamMaxMs) counts.upstreamMaxMs = waitedMs
  }

  #waitingFor(call: UsedCall): Waiting {
    const { clock } = this.#parts
    const startMs = Math.floor(clock.now() / hourMs) * hourMs
    const name = nameOf(startMs, call)
    const known = this.#waiting.get(name)
    if (known !== undefined) return known
    if (this.#waiting.size >= maxWaiting) return this.#waitingForAny(startMs, call.side)
    return this.#wait(name, { startMs, side: call.side, ...textsOf((dimension) => call[dimension]) })
  }

  #waitingForAny(startMs: number, side: UsedCall['side']): Waiting {
    const facts = { side, ...textsOf(() => '') }
    const name = nameOf(startMs, facts)
    return this.#waiting.get(name) ?? this.#wait(name, { startMs, ...facts })
  }

  #wait(name: string, hour: Omit<UsageHour, 'counts'>): Waiting {
    const waiting = { ...hour, counts: nothing() }
    this.#waiting.set(name, waiting)
    return waiting
  }

  /** Writes what was counted; it is durable when it resolves, and kept when it rejects. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return
    const taken = this.#waiting
    this.#waiting = new Map()
    try {
      await this.store.add([...taken.values()])
    } catch (error) {
      for (const [name, later] of this.#waiting) {
        const earlier = taken.get(name)
        if (earlier === undefined) taken.set(name, later)
        else add(earlier.counts, later.counts)
      }
      this.#waiting = taken
      throw error
    }
  }

  /** Makes days of old hours, and drops what is too old. */
  async tidy(): Promise<void> {
    const { clock, keepDays, hourlyDays } = this.#parts
    const todayMs = Math.floor(clock.now() / dayMs) * dayMs
    await this.store.tidy({ hoursFromMs: todayMs - hourlyDays * dayMs, daysFromMs: todayMs - keepDays * dayMs })
  }

  /** A last time; of a storage that takes nothing the counts are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush().catch(() => undefined)
  }
}

function nameOf(startMs: number, facts: Omit<UsageHour, 'counts' | 'startMs'>): string {
  let name = `${startMs}\n${facts.side}`
  for (const dimension of usageDimensions) name += `\n${facts[dimension]}`
  return name
}

function textsOf(read: (dimension: (typeof usageDimensions)[number]) => string) {
  return Object.fromEntries(usageDimensions.map((name) => [name, read(name)])) as Record<
    (typeof usageDimensions)[number],
    string
  >
}

function nothing(): Counting {
  const refused = Object.fromEntries(refusalClasses.map((name) => [name, 0])) as Record<RefusalClass, number>
  return { calls: 0, failed: 0, refused, units: 0, bytes: 0, upstreamMs: 0, upstreamMaxMs: 0 }
}

function add(to: Counting, more: UsageCounts): void {
  to.calls += more.calls
  to.failed += more.failed
  for (const name of refusalClasses) to.refused[name] += more.refused[name]
  to.units += more.units
  to.bytes += more.bytes
  to.upstreamMs += more.upstreamMs
  to.upstreamMaxMs = Math.max(to.upstreamMaxMs, more.upstreamMaxMs)
}
