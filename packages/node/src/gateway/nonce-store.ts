/** Remembers the nonces of signed requests until no clock could accept them any more. Bounded: when it is full, the
 *  node refuses instead of forgetting. */
import { nonceForgettableAt } from '@comity/core/http-signatures/freshness'

/** `forgotten`: nonces that expire then were forgotten already, since the clock went ahead and was set back. */
export type NonceVerdict = 'fresh' | 'replayed' | 'full' | 'forgotten'

export interface NonceStore {
  /** Stores the nonce unless it is known. Call it only after the signature was verified, or strangers fill the store.
   *  `expiresSeconds` is the signature's own `expires`, which a replay cannot change. */
  remember(nonce: SeenNonce, nowMs: number): NonceVerdict
  /** Takes no nonce any more that expires in this second or before. */
  forgetThrough(second: number): void
  /** Nonces held now, for the meters. */
  readonly size: number
}

/** What makes a nonce unique: who used it, and until when it could be used again. */
export interface SeenNonce {
  readonly keyid: string
  readonly nonce: string
  readonly expiresSeconds: number
  /** Used by somebody who is no partner. */
  readonly isStranger?: boolean
}

/** The nonces that expire in one second, by the key that used them. */
interface Second {
  readonly byKey: Map<string, Set<string>>
  count: number
  strangers: number
}

/** The part of the store that strangers may fill: keys of their own cost them nothing. */
const strangersShare = 0.5

/** A store of at most `capacity` nonces. They lie together by second of expiry, so that a look-up touches one set and
 *  forgetting drops whole seconds. `skewSeconds` is how long after `expires` a request may still be accepted. */
export function createNonceStore(capacity: number, skewSeconds: number): NonceStore {
  const bySecond = new Map<number, Second>()
  let size = 0
  let strangers = 0
  let sweptSecond = 0
  /** INVARIANT: no nonce is held, nor taken, that expires in this second or before. */
  let forgottenThrough = 0

  function forgetExpired(nowSecond: number): void {
    if (nowSecond === sweptSecond) return
    sweptSecond = nowSecond
    for (const [second, held] of bySecond) {
      if (nowSecond < nonceForgettableAt(second, { skewSeconds })) continue
      size -= held.count
      strangers -= held.strangers
      bySecond.delete(second)
      forgottenThrough = Math.max(forgottenThrough, second)
    }
  }

  function keep({ keyid, expiresSeconds, isStranger = false }: SeenNonce, entry: string): void {
    const second = bySecond.get(expiresSeconds) ?? { byKey: new Map<string, Set<string>>(), count: 0, strangers: 0 }
    if (second.count === 0) bySecond.set(expiresSeconds, second)
    const nonces = second.byKey.get(keyid)
    if (nonces === undefined) second.byKey.set(keyid, new Set([entry]))
    else nonces.add(entry)
    second.count += 1
    size += 1
    if (!isStranger) return
    second.strangers += 1
    strangers += 1
  }

  return {
    get size() {
      return size
    },
    forgetThrough: (second) => void (forgottenThrough = Math.max(forgottenThrough, second)),
    remember(seen, nowMs) {
      forgetExpired(Math.floor(nowMs / 1000))
      // A text of its own: the nonce itself may be a piece of a header field, and would keep all of it in memory.
      const entry = `${seen.nonce} `
      if (bySecond.get(seen.expiresSeconds)?.byKey.get(seen.keyid)?.has(entry)) return 'replayed'
      if (seen.expiresSeconds <= forgottenThrough) return 'forgotten'
      if (size >= capacity || (seen.isStranger === true && strangers >= capacity * strangersShare)) return 'full'
      keep(seen, entry)
      return 'fresh'
    },
  }
}
