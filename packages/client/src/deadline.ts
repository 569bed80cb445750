/** The end of a call: its time is up, or its caller has lost interest. */
import { ComityError } from './comity-error.ts'
import type { World } from './world.ts'

export interface Deadline {
  /** Aborts with a `ComityError` `timed-out`, or with the reason of the caller's signal. */
  readonly signal: AbortSignal
  /** When the time is up, by the world's clock. */
  readonly atMs: number
  /** Must be called when the call is over; frees the timer and the listener. */
  end(): void
}

/** Starts the time of a call. */
export function startDeadline(
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  { clock, sleep }: Pick<World, 'clock' | 'sleep'>,
): Deadline {
  const ended = new AbortController()
  const over = new AbortController()
  const atMs = clock.now() + timeoutMs
  const abort = () => over.abort(signal?.reason)
  if (signal?.aborted === true) abort()
  else signal?.addEventListener('abort', abort)
  void wait()
  return {
    signal: over.signal,
    atMs,
    end() {
      signal?.removeEventListener('abort', abort)
      ended.abort()
    },
  }

  async function wait(): Promise<void> {
    while (!ended.signal.aborted) {
      const leftMs = atMs - clock.now()
      if (leftMs <= 0) return over.abort(new ComityError('timed-out', `the call was not over after ${timeoutMs} ms`))
      await sleep(leftMs, ended.signal)
    }
  }
}

/** The promise's outcome, or the signal's reason if that comes first, even from code that ignores signals. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** The outcome of code that somebody else wrote, or a `ComityError` `timed-out` when it takes longer. */
export async function withinTime<T>(work: () => T | Promise<T>, ms: number, wait: World['idle']): Promise<T> {
  const outcome = Promise.resolve(work())
  const ended = new AbortController()
  const late = wait(ms, ended.signal).then(() => {
    throw new ComityError('timed-out', `not over after ${ms} ms`)
  })
  try {
    return await Promise.race([outcome, late])
  } finally {
    ended.abort()
  }
}
