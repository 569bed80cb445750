/** What is usual for a key, and what is not: how often it is used in an hour, and from where.
 *
 *  Rate: the robust z-score of Iglewicz and Hoaglin (1993) on hourly counts. The scale is the median absolute deviation,
 *  made comparable to a standard deviation (× 1.4826), and never below that of a Poisson process of the same median, so
 *  that a key whose hours are all alike is not reported for a call more. An hour is unusual from six such scales above the
 *  median on, when it also has more than twice the calls of any hour of the last 28 days (a daily or weekly batch is
 *  habit, too) and a hundred at least. A burst that was reported once is known from then on, for as long. */

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Hours that are looked at: 28 days. */
export const habitHours = 28 * 24
/** Less than a week tells nothing of a habit. */
const leastHours = 7 * 24
const leastCalls = 100
const scalesAbove = 6
const timesHighest = 2
/** Standard deviation of a normal distribution over its median absolute deviation. */
const deviationsOfMad = 1.4826

/** From how many calls on an hour is unusual, by the whole hours before it since the first use, those without calls too;
 *  undefined while too little is known. */
export function unusualFrom(hours: readonly number[]): number | undefined {
  if (hours.length < leastHours) return undefined
  const centre = median(hours)
  const deviation = median(hours.map((count) => Math.abs(count - centre)))
  const scale = Math.max(deviation * deviationsOfMad, Math.sqrt(centre), 1)
  const highest = hours.reduce((most, count) => Math.max(most, count), 0)
  const limit = Math.max(centre + scalesAbove * scale, timesHighest * highest)
  return Math.max(leastCalls, Math.floor(limit) + 1)
}

/** Times are milliseconds since the epoch. */
export interface KnownPlaces {
  /** When the key was first used from each network that is known. */
  readonly firstSeenMs: readonly number[]
  readonly nowMs: number
}

/** A key that came from so many new networks within 28 days is one that roams: one more tells nothing. */
const roamingNetworks = 5

/** Whether it is unusual that the key comes from a network that is not among the known ones. */
export function isUnusualPlace({ firstSeenMs, nowMs }: KnownPlaces): boolean {
  if (firstSeenMs.length === 0) return false
  const firstMs = firstSeenMs.reduce((least, seen) => Math.min(least, seen))
  const settledMs = firstMs + leastHours * hourMs
  if (nowMs < settledMs) return false
  const recent = firstSeenMs.filter((seen) => seen >= settledMs && nowMs - seen < 28 * dayMs)
  return recent.length < roamingNetworks
}

function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).toSorted()
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
