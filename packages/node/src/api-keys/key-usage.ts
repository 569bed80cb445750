/** Counts the uses of keys: in memory at once, in the database with the next batch. Looks meanwhile whether a use is out
 *  of the key's habit. */
import { habitHours, isUnusualPlace, unusualFrom } from '@comity/core/api-keys/key-habit'
import { networkOf } from '../http/network-of.ts'
import type { KeyHour, KeyNetworkUse, KeyUseStore } from './key-use-store.ts'

/** Times are milliseconds since the epoch. */
export interface LastUse {
  readonly atMs: number
  /** CIDR; a prefix of the address, which may be a person's. */
  readonly network: string
  /** Since the key was issued. */
  readonly uses: number
}

/** A use that is out of the key's habit. */
export interface UnusualUse {
  readonly key: string
  readonly reason: 'place' | 'rate'
}

const hourMs = 3_600_000
/** One report of a kind for each key. */
const quietAfterReportMs = 24 * hourMs
/** Before an hour has so many calls it is not looked at. */
const judgedFrom = 100
const maxNetworks = 1_000
/** Where a key's networks beyond the first thousand are counted. */
const otherNetworks = 'other'
const maxAddresses = 10_000

interface Usage {
  lastMs: number
  lastNetwork: string
  uses: number
  /** When the key was first used from each. */
  readonly networks: Map<string, number>
  /** Calls by hours since the epoch. */
  readonly hours: Map<number, number>
  /** For the running hour, once it has been looked at. */
  limit: { readonly hour: number; readonly from: number } | undefined
  readonly reportedMs: { place: number; rate: number }
}

type Pending<T> = { -readonly [K in keyof T]: T[K] }

export class KeyUsage {
  readonly #store: KeyUseStore
  readonly #usages = new Map<string, Usage>()
  readonly #addresses = new Map<string, string>()
  #networks = new Map<string, Pending<Omit<KeyNetworkUse, 'marked'>>>()
  #hours = new Map<string, Pending<KeyHour>>()
  #unusual: UnusualUse[] = []

  constructor(store: KeyUseStore) {
    this.#store = store
  }

  /** Reads what is known of keys that have not ended, or not before then. */
  async load(endedSinceMs: number, nowMs: number): Promise<void> {
    for (const { key, network, firstMs, lastMs, uses } of await this.#store.loadUses(endedSinceMs)) {
      const usage = this.#usageOf(key)
      usage.networks.set(network, firstMs)
      usage.uses += uses
      if (lastMs >= usage.lastMs) [usage.lastMs, usage.lastNetwork] = [lastMs, network]
    }
    for (const { key, hour, uses } of await this.#store.loadHours(hourOf(nowMs) - habitHours)) {
      this.#usages.get(key)?.hours.set(hour, uses)
    }
  }

  used(key: string, address: string, nowMs: number): void {
    const usage = this.#usageOf(key)
    const network = this.#networkFor(usage, address)
    if (!usage.networks.has(network)) this.#meetNetwork({ key, usage, network }, nowMs)
    usage.uses++
    usage.lastMs = nowMs
    usage.lastNetwork = network
    const hour = hourOf(nowMs)
    const count = (usage.hours.get(hour) ?? 0) + 1
    usage.hours.set(hour, count)
    if (count >= judgedFrom && isReached(usage, hour, count)) this.#report({ key, reason: 'rate' }, usage, nowMs)
    this.#await({ key, network, hour }, nowMs)
  }

  lastUse(key: string): LastUse | undefined {
    const usage = this.#usages.get(key)
    if (usage === undefined || usage.uses === 0) return undefined
    return { atMs: usage.lastMs, network: usage.lastNetwork, uses: usage.uses }
  }

  firstUseMs(key: string): number | undefined {
    const networks = this.#usages.get(key)?.networks
    return networks === undefined || networks.size === 0 ? undefined : Math.min(...networks.values())
  }

  /** What was out of habit since the last call of this. */
  takeUnusual(): readonly UnusualUse[] {
    const taken = this.#unusual
    this.#unusual = []
    return taken
  }

  /** Writes what was counted; it is durable when it resolves, and kept when it rejects. */
  async flush(): Promise<void> {
    if (this.#networks.size === 0) return
    const [networks, hours] = [this.#networks, this.#hours]
    this.#networks = new Map()
    this.#hours = new Map()
    try {
      await this.#store.add({ networks: [...networks.values()], hours: [...hours.values()] })
    } catch (error) {
      for (const { key, network, firstMs, lastMs, uses } of networks.values()) {
        const later = this.#networks.get(`${key} ${network}`)
        const kept = { key, network, firstMs, lastMs: later?.lastMs ?? lastMs, uses: uses + (later?.uses ?? 0) }
        this.#networks.set(`${key} ${network}`, kept)
      }
      for (const [name, { key, hour, uses }] of hours) {
        this.#hours.set(name, { key, hour, uses: uses + (this.#hours.get(name)?.uses ?? 0) })
      }
      throw error
    }
  }

  /** Drops hours that are no habit any more, here and in the database. */
  async prune(nowMs: number): Promise<void> {
    const oldest = hourOf(nowMs) - habitHours
    for (const { hours } of this.#usages.values()) {
      for (const hour of hours.keys()) if (hour < oldest) hours.delete(hour)
    }
    await this.#store.pruneHours(oldest)
  }

  forget(key: string): void {
    this.#usages.delete(key)
  }

  #usageOf(key: string): Usage {
    let usage = this.#usages.get(key)
    if (usage === undefined) {
      const known = { networks: new Map<string, number>(), hours: new Map<number, number>() }
      const reportedMs = { place: -Infinity, rate: -Infinity }
      usage = { lastMs: -Infinity, lastNetwork: '', uses: 0, ...known, limit: undefined, reportedMs }
      this.#usages.set(key, usage)
    }
    return usage
  }

  #networkFor(usage: Usage, address: string): string {
    let network = this.#addresses.get(address)
    if (network === undefined) {
      const base = networkOf(address)
      network = `${base}/${base.includes(':') ? 48 : 24}`
      if (this.#addresses.size >= maxAddresses) this.#addresses.clear()
      this.#addresses.set(address, network)
    }
    return usage.networks.has(network) || usage.networks.size < maxNetworks ? network : otherNetworks
  }

  #meetNetwork({ key, usage, network }: { key: string; usage: Usage; network: string }, nowMs: number): void {
    const isUnusual = isUnusualPlace({ firstSeenMs: [...usage.networks.values()], nowMs })
    usage.networks.set(network, nowMs)
    if (isUnusual) this.#report({ key, reason: 'place' }, usage, nowMs)
  }

  #report(use: UnusualUse, { reportedMs }: Usage, nowMs: number): void {
    const sinceMs = nowMs - reportedMs[use.reason]
    // A clock that was set back is no reason for silence.
    if (sinceMs >= 0 && sinceMs < quietAfterReportMs) return
    reportedMs[use.reason] = nowMs
    this.#unusual.push(use)
  }

  #await({ key, network, hour }: { key: string; network: string; hour: number }, nowMs: number): void {
    const waiting = this.#networks.get(`${key} ${network}`)
    if (waiting === undefined) {
      this.#networks.set(`${key} ${network}`, { key, network, firstMs: nowMs, lastMs: nowMs, uses: 1 })
    } else {
      waiting.uses++
      waiting.lastMs = nowMs
    }
    const ofHour = this.#hours.get(`${key} ${hour}`)
    if (ofHour === undefined) this.#hours.set(`${key} ${hour}`, { key, hour, uses: 1 })
    else ofHour.uses++
  }
}

const hourOf = (nowMs: number): number => Math.floor(nowMs / hourMs)

/** True when the hour has more calls than is usual. What is usual is found out once an hour. */
function isReached(usage: Usage, hour: number, count: number): boolean {
  if (usage.limit?.hour !== hour) usage.limit = { hour, from: limitOf(usage, hour) }
  return count >= usage.limit.from
}

function limitOf({ networks, hours }: Usage, hour: number): number {
  const first = hourOf(Math.min(...networks.values()))
  const length = Math.min(habitHours, hour - first)
  if (length <= 0) return Infinity
  const counts = Array.from({ length }, (_, index) => hours.get(hour - length + index) ?? 0)
  return unusualFrom(counts) ?? Infinity
}
