/** Receives the webhooks of the own node (Standard Webhooks 1.0): genuine, recent, and handled once.
 *
 *      const inbox = createWebhookReceiver({ keys: process.env.COMITY_WEBHOOK_KEY })
 *      const outcome = await inbox.receive({ headers: request.headers, body }, (event) => …)
 *      response.writeHead(204).end()                                                                          */
import {
  parseWebhookKeys,
  verifyWebhook,
  type GenuineWebhook,
  type ReceivedWebhook,
  type WebhookKey,
} from '@comity/core/events/standard-webhooks'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { ComityError } from './comity-error.ts'
import { createHandledWebhooks, rememberMs, type HandledWebhooks } from './handled-webhooks.ts'
import { platform } from './main.ts'

export type { ReceivedWebhook } from '@comity/core/events/standard-webhooks'

/** What a message says. `data` is as `docs/operating/webhooks.md` lists it for each `type`. */
export interface WebhookEvent {
  readonly id: string
  readonly type: string
  /** ISO 8601: when it happened, not when it was sent. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface WebhookReceiverOptions {
  /** `whsec_…` or `whpk_…`; several with white space between while one takes over from another. */
  readonly keys: string
  /** How old a message may be, in seconds. Default 300. */
  readonly toleranceSeconds?: number
  /** Default: in memory, the last 100,000 of 61 days. */
  readonly handled?: HandledWebhooks
  readonly clock?: Clock
}

export interface WebhookReceiver {
  /** Runs `handle` for a genuine message that was not handled before; `repeated` for one that was (answer 2xx all the
   *  same, else it comes again). Throws `ComityError`: `signature-invalid` and `signature-stale` (answer 401),
   *  `malformed-request` (answer 400), and what `handle` throws (answer 5xx; the message comes again). */
  receive(message: ReceivedWebhook, handle: (event: WebhookEvent) => unknown): Promise<'handled' | 'repeated'>
}

/** Makes a receiver. Throws `ComityError` `invalid-call` for keys that are none. */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const { toleranceSeconds = 300, clock = platform.clock } = options
  const keys = keysOf(options.keys)
  const handled = options.handled ?? createHandledWebhooks(clock)
  const underWay = new Map<string, Promise<unknown>>()

  return {
    async receive(message, handle) {
      const genuine = verified(message, keys, { nowMs: clock.now(), toleranceSeconds })
      const event = eventOf(genuine, message.body)
      // The same message may arrive again while the first is handled; when that fails, the second does the work.
      for (let other = underWay.get(event.id); other !== undefined; other = underWay.get(event.id)) {
        await other.catch(() => undefined)
      }
      const work = (async () => {
        const isRepeated = await handled.has(event.id)
        if (!isRepeated) await handle(event)
        await handled.add(event.id, clock.now() + rememberMs)
        return isRepeated ? 'repeated' : 'handled'
      })()
      underWay.set(event.id, work)
      try {
        return await work
      } finally {
        underWay.delete(event.id)
      }
    },
  }
}

function keysOf(text: string): readonly WebhookKey[] {
  try {
    return parseWebhookKeys(text)
  } catch (error) {
    // Not as its cause: an error about a secret goes no further than its sentence.
    throw new ComityError('invalid-call', `the webhook key: ${error instanceof Problem ? error.message : 'unreadable'}`)
  }
}

function verified(...args: Parameters<typeof verifyWebhook>): GenuineWebhook {
  try {
    return verifyWebhook(...args)
  } catch (error) {
    if (error instanceof Problem) throw new ComityError(error.code, error.message)
    throw error
  }
}

function eventOf({ id }: GenuineWebhook, body: string): WebhookEvent {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    value = undefined
  }
  const { type, timestamp, data } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || typeof timestamp !== 'string' || typeof data !== 'object' || data === null) {
    throw new ComityError('malformed-request', 'the body of the webhook is not an event')
  }
  return { id, type, timestamp, data: data as WebhookEvent['data'] }
}
