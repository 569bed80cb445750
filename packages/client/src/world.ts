/** What a client needs of its surroundings, as arguments, so that every rule can be tested with a made-up world. */
import type { Clock, Fetch, RandomBytes } from '@comity/core/ports'

/** Resolves after that many milliseconds, or as soon as the signal aborts, whichever comes first; never rejects. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

export interface World {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: RandomBytes
  readonly sleep: Sleep
  /** The same for what goes on in the background: it does not keep a program running. */
  readonly idle: Sleep
}

/** A number in [0, 1) with 32 random bits. */
export function randomFraction(random: RandomBytes): number {
  const bytes = random(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}
