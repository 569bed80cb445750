/** Slows down who tries links at random: after so many that do not exist, an address waits. */
import { decideGcra, type GcraState } from '@comity/core/limits/gcra'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { LRUCache } from 'lru-cache'
import { countedAddress } from '../http/counted-address.ts'

const wrongLinks = { limit: 20, periodMs: 60_000 }
const maxAddresses = 10_000

export interface GuessLimit {
  /** Throws `rate-limited` for an address that has tried too many wrong links. */
  require(address: string): void
  /** Counts a wrong one. */
  count(address: string): void
}

export function createGuessLimit(clock: Clock): GuessLimit {
  const known = new LRUCache<string, GcraState>({ max: maxAddresses })
  const verdictOn = (key: string) => decideGcra(known.get(key), wrongLinks, clock.now())
  return {
    require(address) {
      const verdict = verdictOn(countedAddress(address))
      if (verdict.allowed) return
      const retryAfterSeconds = Math.ceil(verdict.retryAfterMs / 1000)
      throw new Problem('rate-limited', 'too many links that do not exist', { members: { retryAfterSeconds } })
    },
    count(address) {
      const key = countedAddress(address)
      known.set(key, verdictOn(key).state)
    },
  }
}
