/** ISO 8601 durations (RFC 3339 appendix A) and how they count on the calendar, in UTC. */

/** Whole numbers, as written. Weeks are in `days`. */
export interface Duration {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
}

/** The shortest and the longest that a duration can last, by where in the calendar it begins. Milliseconds. */
export interface DurationBounds {
  readonly shortestMs: number
  readonly longestMs: number
}

const pattern = /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/
const maxDigits = 9
const dayMs = 86_400_000
const maxMs = 1000 * 365.25 * dayMs
// How few and how many days so many months of one year can have, wherever they begin.
const fewestDays = [0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334]
const mostDays = [0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337]

/** The duration of a text such as `P30D`, `P1Y6M` or `PT15M`; undefined for what is none, has fractions or a sign, or
 *  lasts longer than 1000 years. */
export function parseDuration(text: string): Duration | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const parts = match.slice(1).map((part) => part ?? '0')
  if (parts.some((part) => part.length > maxDigits)) return undefined
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(Number)
  const duration = { years, months, days: 7 * weeks + days, hours, minutes, seconds }
  return durationBounds(duration).longestMs > maxMs ? undefined : duration
}

/** The moment so much later. Years and months keep the day of the month, or take the month's last (31 January and one
 *  month is 28 or 29 February). */
export function addDuration(ms: number, duration: Duration): number {
  return addMonths(ms, 12 * duration.years + duration.months) + fixedMs(duration)
}

/** The moment so much earlier, likewise. */
export function subtractDuration(ms: number, duration: Duration): number {
  return addMonths(ms - fixedMs(duration), -12 * duration.years - duration.months)
}

/** How short and how long the duration can be. */
export function durationBounds(duration: Duration): DurationBounds {
  const allMonths = 12 * duration.years + duration.months
  const years = Math.floor(allMonths / 12)
  const months = allMonths % 12
  const leapDays = Math.max(0, Math.floor(years / 4) - Math.ceil(years / 100))
  const rest = fixedMs(duration)
  return {
    shortestMs: (365 * years + leapDays + (fewestDays[months] ?? 0)) * dayMs + rest,
    longestMs: (365 * years + Math.ceil(years / 4) + (mostDays[months] ?? 0)) * dayMs + rest,
  }
}

/** True when the first is never longer than the second, wherever they begin. */
export function isDurationWithin(inner: Duration, outer: Duration): boolean {
  const innerMonths = 12 * inner.years + inner.months
  const outerMonths = 12 * outer.years + outer.months
  if (innerMonths === outerMonths) return fixedMs(inner) <= fixedMs(outer)
  return durationBounds(inner).longestMs <= durationBounds(outer).shortestMs
}

/** The one that ends first when both begin at `ms`; `a` when they end together. */
export function shorterDuration(a: Duration, b: Duration, ms: number): Duration {
  return addDuration(ms, b) < addDuration(ms, a) ? b : a
}

/** The one that ends last when both begin at `ms`; `a` when they end together. */
export function longerDuration(a: Duration, b: Duration, ms: number): Duration {
  return addDuration(ms, b) > addDuration(ms, a) ? b : a
}

function fixedMs({ days, hours, minutes, seconds }: Duration): number {
  return days * dayMs + hours * 3_600_000 + minutes * 60_000 + seconds * 1000
}

function addMonths(ms: number, months: number): number {
  if (months === 0) return ms
  const date = new Date(ms)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, lastDay))
  return date.getTime()
}
