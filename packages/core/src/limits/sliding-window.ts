/** Sliding windows that never over-admit: what was spent is counted in slices of the period, and a slice counts whole
 *  until all of it has left the window. So in no stretch of `periodMs`, wherever it begins, more than `limit` units are
 *  admitted; in return a unit comes back up to one slice (a twentieth of the period) late. The usual two buckets that
 *  are weighed by time admit too much when calls come in bursts. */
import type { RateVerdict } from './gcra.ts'

/** `limit` units in any stretch of `periodMs`. */
export interface WindowLimit {
  readonly limit: number
  readonly periodMs: number
}

/** Units that were spent before `endMs` and no earlier than one slice before it. */
export interface WindowSlice {
  readonly endMs: number
  readonly units: number
}

/** Slices in order of time, as of `at` (ms). */
export interface WindowState {
  readonly at: number
  readonly slices: readonly WindowSlice[]
}

export interface WindowVerdict extends Omit<RateVerdict, 'state'> {
  readonly state: WindowState
}

/** How many slices a period has. */
export const slicesPerPeriod = 20

/** Length of one slice in milliseconds. */
export function sliceMs(periodMs: number): number {
  return Math.ceil(periodMs / slicesPerPeriod)
}

/** Decides about one call of `cost` units (default 1). A clock that steps back neither restores nor takes anything: what
 *  was spent keeps its age. */
export function decideSlidingWindow(
  state: WindowState | undefined,
  rate: WindowLimit & { readonly cost?: number },
  now: number,
): WindowVerdict {
  const { limit, periodMs, cost = 1 } = rate
  const slices = live(state, periodMs, now)
  const spent = sum(slices)
  const allowed = spent + cost <= limit
  const after = allowed && cost > 0 ? add(slices, { cost, periodMs, now }) : slices
  const left = limit - spent - (allowed ? cost : 0)
  const [oldest] = after
  const newest = after.at(-1)
  return {
    allowed,
    state: { at: now, slices: after },
    remaining: Math.max(0, left),
    retryAfterMs: allowed ? 0 : waitMs(slices, { missing: spent + cost - limit, periodMs, now }),
    nextUnitMs: oldest === undefined ? 0 : oldest.endMs + periodMs - now,
    resetMs: newest === undefined ? 0 : newest.endMs + periodMs - now,
  }
}

/** What to remember once a charge of `sinceMs` is taken back. Where its slice is gone, nothing is. */
export function giveBackWindow(
  state: WindowState,
  { periodMs, cost, sinceMs }: Omit<WindowLimit, 'limit'> & { readonly cost: number; readonly sinceMs: number },
  now: number,
): WindowState {
  const slices = live(state, periodMs, now)
  const own = slices.findIndex(({ endMs }) => endMs > sinceMs && endMs <= sinceMs + sliceMs(periodMs))
  const left = slices.flatMap((slice, at) => {
    if (at !== own) return [slice]
    return slice.units > cost ? [{ ...slice, units: slice.units - cost }] : []
  })
  return { at: now, slices: left }
}

/** The slices that are still in the window, with their ages kept where the clock went back. */
function live(state: WindowState | undefined, periodMs: number, now: number): readonly WindowSlice[] {
  if (state === undefined) return []
  const back = state.at - now
  const slices = back > 0 ? state.slices.map(({ endMs, units }) => ({ endMs: endMs - back, units })) : state.slices
  return slices.filter(({ endMs }) => endMs + periodMs > now)
}

function sum(slices: readonly WindowSlice[]): number {
  return slices.reduce((total, { units }) => total + units, 0)
}

function add(
  slices: readonly WindowSlice[],
  { cost, periodMs, now }: { readonly cost: number; readonly periodMs: number; readonly now: number },
): readonly WindowSlice[] {
  const newest = slices.at(-1)
  if (newest === undefined || newest.endMs <= now) return [...slices, { endMs: now + sliceMs(periodMs), units: cost }]
  return [...slices.slice(0, -1), { endMs: newest.endMs, units: newest.units + cost }]
}

/** Until so many units have left the window; Infinity when more are missing than were spent. */
function waitMs(
  slices: readonly WindowSlice[],
  { missing, periodMs, now }: { readonly missing: number; readonly periodMs: number; readonly now: number },
): number {
  let freed = 0
  for (const { endMs, units } of slices) {
    freed += units
    if (freed >= missing) return endMs + periodMs - now
  }
  return Infinity
}
