/** How many calls a product still takes, by what its answers announced: one token bucket per announced limit, never
 *  fuller than the node's own. Pure; every function gives a new value. */
import { parseRateLimit, parseRateLimitPolicy } from '@comity/core/limits/rate-limit-fields'

/** One limit as of its last announcement. */
interface Bucket {
  readonly tokens: number
  /** From when on it fills, in milliseconds of the clock. */
  readonly fillsFromMs: number
  readonly tokensPerMs: number
  readonly capacity: number
}

/** No bucket: nothing was announced, nothing holds calls back. */
export type Budget = readonly Bucket[]

export interface Announcement {
  /** The fields `RateLimit-Policy` and `RateLimit`. */
  readonly policy: string | null
  readonly rateLimit: string | null
  /** Other calls under way, which the node may not have counted yet. */
  readonly underWay: number
}

/** Where no pace is announced: a call a second. */
const defaultTokensPerMs = 1 / 1_000
/** Where nothing is allowed: a call a minute, to learn when that changes. */
const askingTokensPerMs = 1 / 60_000
const maxResetSeconds = 24 * 3_600
/** A limit that counts by operation or by person says nothing of other operations and persons, which a client cannot tell
 *  apart: it holds all calls back for so long at most. */
const maxPartitionSeconds = 5

/** The budget that an answer announces; undefined when it announces none, so that the old one stands. */
export function readBudget({ policy, rateLimit, underWay }: Announcement, nowMs: number): Budget | undefined {
  const policies = new Map(parseRateLimitPolicy(policy).map((item) => [item.name, item]))
  const limits = parseRateLimit(rateLimit).filter(({ name }) => (policies.get(name)?.unit ?? 'requests') === 'requests')
  if (limits.length === 0) return undefined
  return limits.map(({ name, remaining, resetSeconds, partition }) => {
    const { quota, windowSeconds, burst } = policies.get(name) ?? {}
    const isWhole = partition === undefined
    const pace = paceOf(quota, windowSeconds)
    const tokensPerMs = isWhole ? pace : Math.max(pace, 1 / (maxPartitionSeconds * 1_000))
    const moreInMs = Math.min(resetSeconds ?? 0, isWhole ? maxResetSeconds : maxPartitionSeconds) * 1_000
    return {
      tokens: Math.max(0, remaining - underWay),
      // The next whole token is there when the announced time is over, no sooner.
      fillsFromMs: moreInMs === 0 ? nowMs : nowMs + moreInMs - 1 / tokensPerMs,
      tokensPerMs,
      // However long nothing was called, no more fits at once.
      capacity: Math.max(1, burst ?? quota ?? remaining, remaining),
    }
  })
}

/** How many calls may be under way at once, by the concurrency limits that an answer announces: those that were when it
 *  was answered, `underWay`, and as many as there were slots left. At least one; undefined when nothing is announced. */
export function readSlots({ policy, rateLimit, underWay }: Announcement): number | undefined {
  const slots = new Map(
    parseRateLimitPolicy(policy)
      .filter(({ unit, partition }) => unit === 'concurrent-requests' && partition === undefined)
      .map(({ name, quota }) => [name, quota]),
  )
  const limits = parseRateLimit(rateLimit).filter(({ name }) => slots.has(name))
  if (limits.length === 0) return undefined
  const room = limits.map(({ name, remaining }) => Math.min(slots.get(name) ?? 0, remaining + underWay))
  return Math.max(1, Math.min(...room))
}

/** How long a refusal holds back all calls, in milliseconds: what is over the limit of one operation or person alone, for
 *  a short while. `violated` are the names of the limits. */
export function heldBackMs(pauseMs: number, rateLimit: string | null, violated: unknown): number {
  const names = Array.isArray(violated) ? (violated as readonly unknown[]) : []
  const limits = parseRateLimit(rateLimit)
  const isOfPart = (name: unknown) =>
    limits.some((limit) => limit.name === name) &&
    limits.every((limit) => limit.name !== name || limit.partition !== undefined)
  return names.length > 0 && names.every(isOfPart) ? Math.min(pauseMs, maxPartitionSeconds * 1_000) : pauseMs
}

function paceOf(quota: number | undefined, windowSeconds: number | undefined): number {
  if (quota === 0) return askingTokensPerMs
  if (quota === undefined || windowSeconds === undefined || windowSeconds === 0) return defaultTokensPerMs
  return quota / (windowSeconds * 1_000)
}

/** Milliseconds until a call fits in every limit; 0 when it does now. */
export function waitMs(budget: Budget, nowMs: number): number {
  return Math.max(0, ...budget.map((bucket) => bucketWaitMs(bucket, nowMs)))
}

function bucketWaitMs(bucket: Bucket, nowMs: number): number {
  // Fractions of a token add up to a hair less than the whole.
  const missing = 1 - tokensAt(bucket, nowMs) - 1e-6
  if (missing <= 0) return 0
  return Math.ceil(Math.max(0, bucket.fillsFromMs - nowMs) + missing / bucket.tokensPerMs)
}

function tokensAt({ tokens, fillsFromMs, tokensPerMs, capacity }: Bucket, nowMs: number): number {
  return Math.min(capacity, tokens + Math.max(0, nowMs - fillsFromMs) * tokensPerMs)
}

/** The budget after one call. */
export function spend(budget: Budget, nowMs: number): Budget {
  return budget.map((bucket) => ({
    ...bucket,
    tokens: Math.max(0, tokensAt(bucket, nowMs) - 1),
    fillsFromMs: Math.max(nowMs, bucket.fillsFromMs),
  }))
}
