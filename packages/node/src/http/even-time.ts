/** Answers that take the same time whatever was done for them. */
import { performance } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'

/**
 * Starts a span of `ms` milliseconds; what it returns resolves at its end, or at once when it is over.
 *
 * A timer alone is not even: the event loop counts whole milliseconds from when it was last awake, so a timer fires a
 * little later when something was done meanwhile, by about the time that it took. The last millisecond or two are
 * therefore spent in turns of the loop, which go on with everything else in between.
 */
export function startEvenTime(ms: number): () => Promise<void> {
  const endMs = performance.now() + ms
  const nearly = setTimeout(ms - 1, undefined, { ref: false })
  return async () => {
    await nearly
    while (performance.now() < endMs) await setImmediate()
  }
}
