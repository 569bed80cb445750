/** Cedar's `datetime` and `duration`, both milliseconds in 64 bits. */
import { add, divide, longOf, subtract, type Long } from './cedar-long.ts'
import { malformedError } from './evaluation-error.ts'

const dayMs = 86_400_000

/** A span, which may be negative. */
export class Duration {
  readonly ms: Long

  constructor(ms: Long) {
    this.ms = ms
  }

  get key(): string {
    return `duration:${this.ms}`
  }

  /** In whole units of so many milliseconds, towards zero. */
  in(unitMs: number): Long {
    return divide(this.ms, unitMs)
  }
}

/** A moment, milliseconds since 1970 in UTC. */
export class Datetime {
  readonly ms: Long

  constructor(ms: Long) {
    this.ms = ms
  }

  get key(): string {
    return `datetime:${this.ms}`
  }

  offset({ ms }: Duration): Datetime {
    return new Datetime(add(this.ms, ms))
  }

  durationSince({ ms }: Datetime): Duration {
    return new Duration(subtract(this.ms, ms))
  }

  /** The begin of its day. */
  toDate(): Datetime {
    return new Datetime(subtract(this.ms, this.#sinceMidnight()))
  }

  toTime(): Duration {
    return new Duration(this.#sinceMidnight())
  }

  #sinceMidnight(): number {
    const remainder = Number(typeof this.ms === 'bigint' ? this.ms % BigInt(dayMs) : this.ms % dayMs)
    return remainder < 0 ? remainder + dayMs : remainder + 0
  }
}

const datetimePattern = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:Z|([+-])(\d\d)(\d\d)))?$/

/** `2026-11-22`, or with `T07:30:00`, perhaps `.123`, and `Z` or an offset such as `+0100`. */
export function parseDatetime(text: string): Datetime {
  const match = datetimePattern.exec(text)
  if (match === null) return malformedError('datetime')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0] = match
    .slice(1, 8)
    .map((part) => Number(part ?? 0))
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isDate || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59)
    return malformedError('datetime')
  const local = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + milli
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000
  return new Datetime(match[8] === '-' ? local + offsetMs : local - offsetMs)
}

const durationPattern = /^(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
const unitsMs = [dayMs, 3_600_000, 60_000, 1000, 1]

/** `1d2h3m4s5ms`, each part optional, or the same after a minus. */
export function parseDuration(text: string): Duration {
  const match = durationPattern.exec(text)
  if (match === null || text === '' || text === '-') return malformedError('duration')
  const counts = match.slice(2)
  const total = unitsMs.reduce((sum, unit, at) => sum + BigInt(counts[at] ?? 0) * BigInt(unit), 0n)
  return new Duration(longOf(match[1] === '-' ? -total : total))
}
