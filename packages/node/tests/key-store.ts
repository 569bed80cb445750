/** Where a program of a test keeps its API key, and how it waits. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Pauses are cut short, the time that an answer may take is not. */
export const shortly = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms < 15_000 ? Math.min(ms, 5) : ms, undefined, { ...(signal && { signal }), ref: false }).catch(() => undefined)

/** As a row of a database: a write that comes too late changes nothing. */
export function storeOf(key: string) {
  const store = {
    text: key,
    /** All that was ever kept. */
    kept: [key],
    load: async () => store.text,
    async save(text: string, expected: string) {
      if (store.text !== expected) return false
      store.text = text
      store.kept.push(text)
      return true
    },
  }
  return store
}

export type Store = ReturnType<typeof storeOf>
