/** Comparing the limits of a scope that are numbers, moments and durations. Each function is true only when the child's
 *  limit is certainly as tight as the parent's. */
import { parseDateTime } from '../agreement/date-time.ts'
import type { DataPeriod, FetchLimit, Retention } from '../consent/consent-scope.ts'
import { isDurationWithin, parseDuration } from '../consent/durations.ts'

/** No parent's limit, or one that is not passed. */
export function isWithinNumber(child: number | undefined, parent: number | undefined): boolean {
  return parent === undefined || (child !== undefined && child <= parent)
}

/** A look-back and fixed moments are never compared: which is wider changes with the clock. */
export function isPeriodWithin(child: DataPeriod | undefined, parent: DataPeriod | undefined): boolean {
  if (parent === undefined) return true
  if (child === undefined) return false
  if ('lookback' in parent) return 'lookback' in child && isNotLonger(child.lookback, parent.lookback)
  return !('lookback' in child) && isNotBefore(child.from, parent.from) && isNotAfter(child.to, parent.to)
}

/** No more calls in windows at least as long, or one call ever. Half the calls in half the time is more: the moments may
 *  lie close together at the edge of two windows. */
export function isFetchWithin(child: FetchLimit | undefined, parent: FetchLimit | undefined): boolean {
  if (parent === undefined) return true
  if (child === undefined || fetchRank[child.type] > fetchRank[parent.type]) return false
  if (child.type === 'once' || parent.max === undefined) return true
  if (child.max === undefined || child.max > parent.max) return false
  if (parent.per === undefined) return child.per === undefined
  return child.per !== undefined && isNotLonger(parent.per, child.per)
}

const fetchRank = { once: 0, periodic: 1, continuous: 2 } as const

/** A limit by duration and one by moment are both kept where the parent has both. */
export function isRetentionWithin(child: Retention | undefined, parent: Retention | undefined): boolean {
  if (parent === undefined) return true
  if (child === undefined || endRank[child.onWithdrawal] > endRank[parent.onWithdrawal]) return false
  if (!isNotLonger(child.deleteWithin ?? defaultDeleteWithin, parent.deleteWithin ?? defaultDeleteWithin)) {
    return false
  }
  return isNotAfter(child.until, parent.until) && isShorter(child.for, parent.for)
}

const endRank = { delete: 0, anonymise: 1, retainLegal: 2 } as const
const defaultDeleteWithin = 'P30D'

function isShorter(child: string | undefined, parent: string | undefined): boolean {
  return parent === undefined || (child !== undefined && isNotLonger(child, parent))
}

function isNotBefore(child: string | undefined, parent: string | undefined): boolean {
  return parent === undefined || momentOf(child) >= momentOf(parent)
}

function isNotAfter(child: string | undefined, parent: string | undefined): boolean {
  return parent === undefined || momentOf(child) <= momentOf(parent)
}

/** NaN, which compares with nothing, for what is no moment. */
function momentOf(text: string | undefined): number {
  return (text === undefined ? undefined : parseDateTime(text)) ?? Number.NaN
}

/** False for what is no duration, and where the calendar decides (`P30D` and `P1M`). */
function isNotLonger(child: string, parent: string): boolean {
  const [inner, outer] = [parseDuration(child), parseDuration(parent)]
  return inner !== undefined && outer !== undefined && isDurationWithin(inner, outer)
}
