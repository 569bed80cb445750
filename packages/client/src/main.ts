/** Where the real world enters the SDK: the network, clock, randomness and timers that browsers and Node share. */
import type { World } from './world.ts'

/** Timers take no longer waits; whoever waits looks at the clock again. */
const maxTimerMs = 2 ** 31 - 1

/** The platform's own world. Its clock does not step while the program runs, unlike the wall clock it began with. */
export const platform: World = {
  fetch: (input, init) => globalThis.fetch(input, init),
  clock: { now: () => performance.timeOrigin + performance.now() },
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  sleep: (ms, signal) => wait(ms, signal, { isIdle: false }),
  idle: (ms, signal) => wait(ms, signal, { isIdle: true }),
}

function wait(ms: number, signal: AbortSignal | undefined, { isIdle }: { readonly isIdle: boolean }): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const timer: unknown = setTimeout(done, Math.min(maxTimerMs, Math.max(0, ms)))
    // Browsers have numbers for timers, and no programs that end.
    if (isIdle) (timer as { unref?: () => void }).unref?.()
    function done(): void {
      clearTimeout(timer as number)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
    return undefined
  })
}
