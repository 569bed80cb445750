/** Fresh salts for events. Randomness is drawn for many at once, since one draw costs more than a hash. */
import { saltBytes } from '@comity/core/audit-log/event-commitment'
import type { RandomBytes } from '@comity/core/ports'

const saltsPerDraw = 64

/** Gives a function that gives a new salt on each call; no two share bytes. */
export function createSalts(randomBytes: RandomBytes): () => Uint8Array {
  let drawn = new Uint8Array()
  let at = 0
  return () => {
    if (at === drawn.length) {
      drawn = Uint8Array.from(randomBytes(saltBytes * saltsPerDraw))
      at = 0
    }
    return drawn.subarray(at, (at += saltBytes))
  }
}
