/** A world whose time moves only when a test says so. */
import type { Sleep } from '../src/world.ts'

export interface MadeUpTime {
  readonly clock: { now(): number }
  readonly sleep: Sleep
  /** Moves the clock, waking sleepers in order; what they set off has run when it resolves. */
  advance(ms: number): Promise<void>
  /** How many sleep now. */
  sleepers(): number
}

export function madeUpTime(startMs = 1_700_000_000_000): MadeUpTime {
  let nowMs = startMs
  const sleeping = new Set<{ readonly atMs: number; readonly wake: () => void }>()
  return {
    clock: { now: () => nowMs },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { atMs: nowMs + ms, wake: () => (sleeping.delete(sleeper), resolve()) }
        if (signal?.aborted === true) resolve()
        else {
          sleeping.add(sleeper)
          signal?.addEventListener('abort', sleeper.wake, { once: true })
        }
      }),
    async advance(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        await settled()
        const next = [...sleeping].toSorted((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined || next.atMs > untilMs) break
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
      }
      nowMs = untilMs
      await settled()
    },
    sleepers: () => sleeping.size,
  }
}

/** Everything that promises had to do is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
