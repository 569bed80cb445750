/** The world that a node runs in, and the small things made from it. */
import { randomFillSync } from 'node:crypto'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { uuidV7 } from './uuid-v7.ts'

export interface World {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

const poolBytes = 8_192

/** Secure random bytes, drawn from the system in larger pieces: a call for 16 bytes costs more than the bytes. */
export function pooledRandomBytes(): RandomBytes {
  let pool = new Uint8Array(0)
  let used = 0
  return (length) => {
    if (length > poolBytes / 4) return randomFillSync(new Uint8Array(length))
    if (used + length > pool.length) {
      pool = randomFillSync(new Uint8Array(poolBytes))
      used = 0
    }
    used += length
    return pool.slice(used - length, used)
  }
}

/** Ids that are ordered by time: UUIDv7 (RFC 9562 §5.7), never falling even within one millisecond. */
export function createIdSource({ clock, randomBytes }: World): () => string {
  let lastMs = 0
  let sequence = 0
  return () => {
    const nowMs = clock.now()
    const fresh = nowMs > lastMs
    lastMs = fresh ? nowMs : lastMs
    const random = randomBytes(16)
    sequence = fresh ? (random[6] as number) << 16 : (sequence + 1) % 0xffffffff
    return uuidV7({ timeMs: lastMs, sequence, random })
  }
}
