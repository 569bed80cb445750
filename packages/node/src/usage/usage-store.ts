/** Where it is kept how much was called. */
import type { UsageCounts, UsageDimension, UsageFacts, UsageSide } from './usage-record.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** What was counted in the hour that began at `startMs` (UTC). */
export interface UsageHour extends UsageFacts {
  readonly startMs: number
  readonly counts: UsageCounts
}

/** By what sums are told apart: what calls are told apart by, and when they were. */
export const usageGroups = ['participant', 'client', 'key', 'product', 'operation', 'hour', 'day'] as const
export type UsageGroup = (typeof usageGroups)[number]

/** Which calls, from a moment on until before another, both at the beginning of an hour. */
export interface UsageFilter extends Readonly<Partial<Record<UsageDimension, string | undefined>>> {
  readonly side: UsageSide
  readonly fromMs: number
  readonly untilMs: number
}

export interface UsageQuestion extends UsageFilter {
  readonly by: readonly UsageGroup[]
  /** The `group` of the last sum of the page before. */
  readonly after?: readonly (string | number)[] | undefined
  readonly limit: number
}

/** `group` has a value for each member of `by`: texts, and for `hour` and `day` their beginning in milliseconds. */
export interface UsageSum {
  readonly group: readonly (string | number)[]
  readonly counts: UsageCounts
}

export interface UsageStore {
  /** Adds to what was counted, all or nothing; durable when it resolves. */
  add(hours: readonly UsageHour[]): Promise<void>
  /** In the order of the groups. What is kept by days only counts in the first hour of its day. */
  sum(question: UsageQuestion): Promise<UsageSum[]>
  /** Hours that are kept as hours, oldest first. */
  hours(filter: UsageFilter): Promise<UsageHour[]>
  /** Who called what, in the time. */
  callers(filter: UsageFilter): Promise<UsageFacts[]>
  /** Makes days of the hours that began before one moment, and drops what began before the other; both are the beginning
   *  of a day. */
  tidy(moments: { readonly hoursFromMs: number; readonly daysFromMs: number }): Promise<void>
}
