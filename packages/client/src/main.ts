/** Where the real world enters the SDK: the network, clock, randomness and timers that browsers and Node share. */
import type { World } from './world.ts'

/** Timers take no longer waits; whoever waits looks at the clock again. */
const maxTimerMs = 2 ** 31 - 1

/** The platform's own world. Its clock does not step while the program runs, unlike the wall clock it began with. */
export const platform: World = {
  fetch: (input, init) => globalThis.fetch(input, init),
  clock: { now: () => performance.timeOrigin + performance.now() },
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const timer = setTimeout(done, Math.min(maxTimerMs, Math.max(0, ms)))
      function done(): void {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done)
      return undefined
    })
  },
}
