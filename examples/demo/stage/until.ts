/** Waiting for what happens by itself within moments. */
import { setTimeout as sleep } from 'node:timers/promises'

const limitMs = 20_000
const pauseMs = 20

/** The value that `look` finds, as soon as it is there. Throws with `what` when it is not in time. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`waited ${limitMs / 1_000} s until ${what}`)
    await sleep(pauseMs)
  }
}
