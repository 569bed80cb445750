/** The sequence numbers of signed calls: each key's only ever rise. Those that come together share one write. */
import { Problem } from '@comity/core/problems'
import type { KeyUseStore } from './key-use-store.ts'

/** Takes a number; durable when it resolves. Throws `sequence-stale`, `malformed-request`, `storage-failed`. */
export type TakeSequence = (key: string, sequence: number) => Promise<void>

interface Waiting {
  readonly key: string
  readonly sequence: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export function createSequences(store: Pick<KeyUseStore, 'takeSequences'>): TakeSequence {
  let queue: Waiting[] = []
  let flushing: Promise<void> | undefined
  const flush = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      await settle(store, batch)
    }
    flushing = undefined
  }
  return (key, sequence) => {
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      return Promise.reject(new Problem('malformed-request', '`Comity-Sequence` must be a whole number below 2^53'))
    }
    return new Promise((resolve, reject) => {
      queue.push({ key, sequence, resolve, reject })
      flushing ??= flush()
    })
  }
}

async function settle(store: Pick<KeyUseStore, 'takeSequences'>, batch: readonly Waiting[]): Promise<void> {
  try {
    const taken = await store.takeSequences(batch)
    for (const [index, { resolve, reject }] of batch.entries()) {
      if (taken[index] === true) resolve()
      else reject(new Problem('sequence-stale', 'the sequence number is not higher than the last one of this key'))
    }
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}
