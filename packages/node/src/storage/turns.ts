/** One thing after the other where two at once would undo each other's decisions. */

/** Runs the work when all that came before under the same key has ended, however it ended. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Turns within this process; what it guards must also be true in the storage, by the transaction. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key)
    const mine = (async () => {
      await before?.catch(() => undefined)
      return work()
    })()
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
