/** Remembers the nonces of signed requests until no clock could accept them any more. Bounded: when it is full, the
 *  node refuses instead of forgetting. */

export type NonceVerdict = 'fresh' | 'replayed' | 'full'

export interface NonceStore {
  /** Stores the nonce unless it is known. Call it only after the signature was verified, or strangers fill the store.
   *  `expiresSeconds` is the signature's own `expires`, which a replay cannot change. */
  remember(nonce: SeenNonce, nowMs: number): NonceVerdict
  /** Nonces held now, for the meters. */
  readonly size: number
}

/** What makes a nonce unique: who used it, and until when it could be used again. */
export interface SeenNonce {
  readonly keyid: string
  readonly nonce: string
  readonly expiresSeconds: number
}

/** A store of at most `capacity` nonces. They lie in one set per second of expiry, so that a look-up touches one set
 *  and forgetting drops whole sets. `skewSeconds` is how long after `expires` a request may still be accepted. */
export function createNonceStore(capacity: number, skewSeconds: number): NonceStore {
  const bySecond = new Map<number, Set<string>>()
  let size = 0
  let sweptSecond = 0

  function forgetExpired(nowSecond: number): void {
    if (nowSecond === sweptSecond) return
    sweptSecond = nowSecond
    for (const [second, nonces] of bySecond) {
      if (second + skewSeconds >= nowSecond) continue
      size -= nonces.size
      bySecond.delete(second)
    }
  }

  return {
    get size() {
      return size
    },
    remember({ keyid, nonce, expiresSeconds }, nowMs) {
      forgetExpired(Math.floor(nowMs / 1000))
      const entry = `${nonce} ${keyid}`
      const nonces = bySecond.get(expiresSeconds)
      if (nonces?.has(entry)) return 'replayed'
      if (size >= capacity) return 'full'
      if (nonces === undefined) bySecond.set(expiresSeconds, new Set([entry]))
      else nonces.add(entry)
      size += 1
      return 'fresh'
    },
  }
}
