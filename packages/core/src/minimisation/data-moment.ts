/** When the data of a row is from: a moment, or all of a day, month or year where no more is told (RFC 3339 and its
 *  shorter forms, ISO 8601 §5.2.2). */
import type { ReleasePeriod } from '../consent/release.ts'

/** Milliseconds since the epoch, from `fromMs` up to but without `toMs`. */
export interface MomentRange {
  readonly fromMs: number
  readonly toMs: number
}

const dayMs = 86_400_000
const dated = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d))?)?)?$/

/** The range of `2016-08-06T20:15:00Z`, `2016-08-06`, `2016-08`, `2016`, or the number 2016; days begin in UTC.
 *  Undefined for anything else: a time without its zone cannot be placed, and a number may count anything. */
export function momentRange(value: unknown): MomentRange | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? momentRange(String(value)) : undefined
  const match = typeof value === 'string' && value.length <= 40 ? dated.exec(value) : null
  if (match === null) return undefined
  const [, year = '', month, day, time, zone = ''] = match
  if (Number(year) < 1_000) return undefined
  const fromMs = startOfDay(`${year}-${month ?? '01'}-${day ?? '01'}`)
  if (fromMs === undefined) return undefined
  if (time !== undefined) return exactly(Date.parse(`${year}-${month}-${day}T${time}${zone.toUpperCase()}`))
  if (day !== undefined) return { fromMs, toMs: fromMs + dayMs }
  const [y, m] = [Number(year), Number(month)]
  return { fromMs, toMs: month === undefined ? Date.UTC(y + 1, 0) : Date.UTC(y, m) }
}

// `Date.parse` reads 31 February as 3 March.
function startOfDay(day: string): number | undefined {
  const ms = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day) ? ms : undefined
}

function exactly(ms: number): MomentRange | undefined {
  return Number.isNaN(ms) ? undefined : { fromMs: ms, toMs: ms + 1 }
}

/** True when all of the range lies in the period: what may be from outside does not count as inside. */
export function liesIn(range: MomentRange, period: ReleasePeriod): boolean {
  return (
    (period.fromMs === undefined || range.fromMs >= period.fromMs) &&
    (period.toMs === undefined || range.toMs <= period.toMs)
  )
}
