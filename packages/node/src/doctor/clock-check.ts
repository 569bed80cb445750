/** Compares this machine's clock with those of others, as their `Date` fields (RFC 9110 §6.6.1) tell them. */
import { bad, caution, good, type Finding } from './finding.ts'

/** One look at another clock. All times in milliseconds since the epoch; `dateMs` is cut to the second. */
export interface ClockSample {
  /** Whose clock. */
  readonly name: string
  readonly dateMs: number
  readonly sentMs: number
  readonly receivedMs: number
}

/** How far this clock is ahead of the other (negative: behind), and how far off that may be. */
interface Offset {
  readonly name: string
  readonly aheadMs: number
  readonly doubtMs: number
}

/** Skew beyond this is told, though calls are not refused for it yet. */
const noticeableMs = 5_000
const setTheClock = 'set the clock, and keep it set by NTP: calls that are signed in the past or future are refused'

/** Judges by the median of the partners' clocks; one partner alone may be the one that is wrong. */
export function decideClock(samples: readonly ClockSample[], allowedSkewSeconds: number): Finding[] {
  if (samples.length === 0) {
    return [caution('clock', 'no partner answered, so the clock was compared with nobody’s', 'compare it with NTP')]
  }
  const offsets = samples.map(offsetOf).toSorted((a, b) => a.aheadMs - b.aheadMs)
  const middle = offsets[Math.floor((offsets.length - 1) / 2)] as Offset
  return [ownClock(middle, offsets.length, allowedSkewSeconds), ...othersApart(offsets, middle, allowedSkewSeconds)]
}

function offsetOf({ name, dateMs, sentMs, receivedMs }: ClockSample): Offset {
  // The true time lies somewhere within the second that `Date` names.
  return {
    name,
    aheadMs: (sentMs + receivedMs) / 2 - (dateMs + 500),
    doubtMs: 500 + Math.abs(receivedMs - sentMs) / 2,
  }
}

function ownClock(middle: Offset, count: number, allowedSkewSeconds: number): Finding {
  const sure = Math.abs(middle.aheadMs) - middle.doubtMs
  const whose = count === 1 ? `that of \`${middle.name}\`` : `those of ${count} partners (median)`
  if (sure <= noticeableMs) return good('clock', `agrees with ${whose}`)
  const detail = `is about ${spanOf(middle.aheadMs)} ${middle.aheadMs > 0 ? 'ahead of' : 'behind'} ${whose}`
  return sure > allowedSkewSeconds * 1_000 ? bad('clock', detail, setTheClock) : caution('clock', detail, setTheClock)
}

function othersApart(offsets: readonly Offset[], middle: Offset, allowedSkewSeconds: number): Finding[] {
  return offsets.flatMap(({ name, aheadMs, doubtMs }) => {
    const apart = aheadMs - middle.aheadMs
    if (Math.abs(apart) - doubtMs - middle.doubtMs <= allowedSkewSeconds * 1_000) return []
    const detail = `the clock of \`${name}\` is about ${spanOf(apart)} apart from the other partners’`
    return [caution('clock', detail, 'tell the partner: its calls are refused until its clock is set')]
  })
}

function spanOf(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000)
  return seconds < 120
    ? `${seconds} s`
    : seconds < 7_200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3_600)} h`
}
