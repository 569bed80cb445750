/** Which webhooks were handled already, for as long as they may come again. */
import type { Clock } from '@comity/core/ports'

/** Which messages were handled. Give one on your own database where several processes receive, or where handling a
 *  message twice after a restart would do harm. */
export interface HandledWebhooks {
  /** True for an id that was added and is not forgotten. */
  has(id: string): boolean | Promise<boolean>
  /** Called when the message is handled, and with a later time whenever it comes once more; may be forgotten after
   *  `untilMs` (milliseconds since the epoch). What it throws, `receive` throws: the message comes again. */
  add(id: string, untilMs: number): void | Promise<void>
}

/** A node tries for 30 days at most, and keeps what it gave up for 30 more, in which its operator may send it again. A
 *  message that comes then is remembered anew. The last day is for clocks that differ. */
export const rememberMs = (30 + 30 + 1) * 86_400_000
const maxRemembered = 100_000

/** Remembers in memory; what came longest ago is forgotten first. */
export function createHandledWebhooks(clock: Clock): HandledWebhooks {
  const untilById = new Map<string, number>()
  return {
    has: (id) => (untilById.get(id) ?? 0) > clock.now(),
    add(id, untilMs) {
      untilById.delete(id)
      untilById.set(id, untilMs)
      for (const [oldest, until] of untilById) {
        if (until > clock.now() && untilById.size <= maxRemembered) break
        untilById.delete(oldest)
      }
    },
  }
}
