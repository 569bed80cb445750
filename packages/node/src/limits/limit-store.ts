/** What is remembered of every key that is being limited: in memory, bounded. An entry whose debt has drained says
 *  the same as no entry, so it may be forgotten at any time; nothing else ever is. */

interface Entry<State> {
  readonly state: State
  /** From this time (ms) on the entry says nothing any more. */
  readonly drainedAt: number
}

/** How many old entries are looked at when a new key arrives, so that memory follows the traffic without a timer. */
const sweptPerNewKey = 4
/** The same when the store is full: the new key waits for room no longer than this many looks. */
const sweptWhenFull = 64

/** A full store refuses new keys. Evicting a live one instead would hand it a fresh allowance, so a flood of
 *  addresses could lift anyone's limit. */
export interface LimitStore<State> {
  readonly size: number
  get(key: string): State | undefined
  /** False when the key is new and there is no room for `newKeys` of them. */
  hasRoom(newKeys: number, now: number): boolean
  set(key: string, state: State, drainedAt: number): void
  delete(key: string): void
}

/** An empty store of at most `maxKeys` keys (about 200 bytes each). */
export function createLimitStore<State>(maxKeys: number): LimitStore<State> {
  const entries = new Map<string, Entry<State>>()
  let cursor = entries.entries()

  function sweep(looks: number, now: number): void {
    for (let look = 0; look < looks; look++) {
      const next = cursor.next()
      if (next.done === true) {
        cursor = entries.entries()
        return
      }
      if (next.value[1].drainedAt <= now) entries.delete(next.value[0])
    }
  }

  return {
    get size() {
      return entries.size
    },
    get: (key) => entries.get(key)?.state,
    hasRoom(newKeys, now) {
      if (newKeys === 0) return true
      sweep(sweptPerNewKey * newKeys, now)
      if (entries.size + newKeys > maxKeys) sweep(sweptWhenFull, now)
      return entries.size + newKeys <= maxKeys
    },
    set(key, state, drainedAt) {
      entries.set(key, { state, drainedAt })
    },
    delete: (key) => void entries.delete(key),
  }
}
