/** Gives entries of status lists away: at random, so that neighbours in a list tell nothing of each other, and from a
 *  new list once three quarters are used, so that a free one is found quickly. */
import type { RandomBytes } from '@comity/core/ports'
import type { StatusStore } from './status-store.ts'

/** Entries of a list; a power of two. Large enough that asking for a list does not tell whose status is of interest. */
export const listEntries = 131_072
const mostUsed = (listEntries / 4) * 3

export interface StatusAllocation {
  /** An entry that nobody was given. It stays reserved until the next start even when its transaction fails. */
  next(): Promise<{ readonly list: number; readonly index: number }>
}

export function createStatusAllocation(parts: {
  readonly store: StatusStore
  readonly randomBytes: RandomBytes
}): StatusAllocation {
  let loading: Promise<Current> | undefined
  return {
    async next() {
      loading ??= load(parts.store).catch((error: unknown) => {
        loading = undefined
        throw error
      })
      const current = await loading
      if (current.used.size >= mostUsed) {
        current.list += 1
        current.used.clear()
      }
      const index = freeIndex(current.used, parts.randomBytes)
      current.used.add(index)
      return { list: current.list, index }
    },
  }
}

interface Current {
  list: number
  readonly used: Set<number>
}

async function load(store: StatusStore): Promise<Current> {
  const list = (await store.newestList()) ?? 1
  return { list, used: new Set(await store.usedIndices(list)) }
}

function freeIndex(used: ReadonlySet<number>, randomBytes: RandomBytes): number {
  for (;;) {
    const [high = 0, middle = 0, low = 0] = randomBytes(3)
    const index = ((high << 16) | (middle << 8) | low) % listEntries
    if (!used.has(index)) return index
  }
}
