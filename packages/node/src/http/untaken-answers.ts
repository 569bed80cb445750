/** Answers that were made and that their peers have not taken yet. Each waits in memory whole: a peer that asks for large
 *  ones and reads none must neither keep them for ever nor fill the memory with them. */
import type { ServerResponse } from 'node:http'
import { countedAddress } from './counted-address.ts'

export interface UntakenAnswers {
  /** Watches over an answer that is being written. */
  watch(response: ServerResponse, bytes: number): void
}

export interface UntakenOptions {
  /** What may wait of all answers together. */
  readonly roomBytes: number
  /** How long an answer may wait, beside the time that the slowest peer needs for it. */
  readonly timeoutMs: number
  readonly slowestBytesPerSecond: number
}

/** Smaller ones are bounded by the number of connections. */
const watchedBytes = 16_384

interface Untaken {
  readonly response: ServerResponse
  readonly bytes: number
  readonly address: string
}

/** Where there is no room, the oldest answer goes of the address that keeps the most: who keeps others out keeps itself
 *  out first. What goes is cut off; it was recorded before it began to leave. */
export function createUntakenAnswers({ roomBytes, ...slow }: UntakenOptions): UntakenAnswers {
  const untaken = new Set<Untaken>()
  let total = 0

  /** One alone may be larger than the room. */
  const isOverfull = (): boolean => total > roomBytes && untaken.size > 1

  function cutOne(): void {
    const kept = new Map<string, number>()
    for (const { address, bytes } of untaken) kept.set(address, (kept.get(address) ?? 0) + bytes)
    const most = Math.max(...kept.values())
    for (const answer of untaken) {
      if (kept.get(answer.address) !== most) continue
      forget(answer)
      answer.response.destroy()
      return
    }
  }

  function forget(answer: Untaken): void {
    if (untaken.delete(answer)) total -= answer.bytes
  }

  return {
    watch(response, bytes) {
      if (bytes < watchedBytes || response.destroyed || response.writableFinished) return
      const answer = { response, bytes, address: countedAddress(response.req.socket.remoteAddress ?? '') }
      const patienceMs = slow.timeoutMs + (bytes / slow.slowestBytesPerSecond) * 1_000
      const timer = setTimeout(() => response.destroy(), patienceMs)
      response.once('close', () => {
        clearTimeout(timer)
        forget(answer)
      })
      untaken.add(answer)
      total += bytes
      while (isOverfull()) cutOne()
    },
  }
}
