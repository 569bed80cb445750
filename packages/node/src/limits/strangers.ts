/** Strangers are counted by their addresses, of which one of them may have more than any store holds. So they have a fixed
 *  number of counters of their own for each limit, and an address has the one that a keyed hash gives it: here, in the
 *  database and on a server that replicas share. Two addresses may share a counter, which can only count a stranger too
 *  high; nobody can choose whose. Partners and clients are never counted there. */

/** Counters of strangers for each limit; a stranger shares its own with another of a thousand in 3 of 200 cases. */
export const strangerCounters = 65_536

const prefix = 'strangers='

/** The key of the counter, for what would count this stranger alone. `hash` is keyed, in base64url. */
export function strangersKey(alone: string, hash: (text: string) => string): string {
  const bytes = Buffer.from(hash(`strangers ${alone}`).slice(0, 4), 'base64url')
  return prefix + bytes.subarray(0, 2).toString('hex')
}

/** Whether a key is that of a counter of strangers. */
export function isStrangersKey(key: string): boolean {
  return key.startsWith(prefix)
}
