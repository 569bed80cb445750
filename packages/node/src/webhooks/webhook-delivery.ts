/** One try to deliver a message to the holder's own system: https under the address guard, or http on this machine.
 *  Redirects are errors, sizes and time are limited. */
import { Problem } from '@comity/core/problems'
import type { PeerTrust } from '../http/connector.ts'
import type { GuardedFetch } from '../http/guarded-fetch.ts'
import { Client } from '../http/undici-parts.ts'
import type { DeliveryOutcome } from '../storage/redelivery.ts'
import { isOnThisMachine } from './webhook-config.ts'

export interface WebhookCall {
  readonly url: string
  /** Pins of the endpoint's TLS key; a public authority must vouch for it without. */
  readonly fingerprints: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
}

/** Never rejects for what the other side does; nothing of the payload or the answer's body stands in `reason`. */
export type DeliverWebhook = (call: WebhookCall) => Promise<DeliveryOutcome>

const maxAnswerBytes = 65_536

/** A delivery over the network. */
export function createWebhookDelivery(guardedFetch: GuardedFetch): DeliverWebhook {
  return async (call) => {
    try {
      const isLocal = isOnThisMachine(new URL(call.url))
      return readAnswer(isLocal ? await postLocally(call) : await postGuarded(call, guardedFetch))
    } catch (error) {
      const reason = error instanceof Problem ? `${error.code}: ${error.message}` : 'the request failed'
      return { acknowledged: false, reason }
    }
  }
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
}

/** Of the field `Retry-After`. */
function secondsAsMs(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
}

/** Refused is what the receiver will say of this message again: a client error that is not about the moment. */
function readAnswer({ status, retryAfter }: Answer): DeliveryOutcome {
  if (status >= 200 && status < 300) return { acknowledged: true }
  const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429
  return { acknowledged: false, reason: `status ${status}`, retryAfterMs: secondsAsMs(retryAfter), isRefused }
}

async function postGuarded(call: WebhookCall, guardedFetch: GuardedFetch): Promise<Answer> {
  const { url, headers, body, timeoutMs, fingerprints } = call
  const trust: PeerTrust = fingerprints.length > 0 ? { fingerprints } : { publicAuthority: true }
  const { status, headers: fields } = await guardedFetch({
    url,
    trust,
    method: 'POST',
    headers,
    body,
    timeoutMs,
    maxBytes: maxAnswerBytes,
  })
  return { status, retryAfter: single(fields['retry-after']) }
}

/** The host is an address of loopback by the configuration's schema: nothing is resolved. */
async function postLocally({ url, headers, body, timeoutMs }: WebhookCall): Promise<Answer> {
  const { origin, pathname, search } = new URL(url)
  const client = new Client(origin, {
    connect: { timeout: timeoutMs },
    maxHeaderSize: 16_384,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await client.request({ path: `${pathname}${search}`, method: 'POST', headers, body, signal })
    const { statusCode: status } = response
    await response.body.dump({ limit: maxAnswerBytes, signal })
    return { status, retryAfter: single(response.headers['retry-after']) }
  } finally {
    client.destroy().catch(() => {})
  }
}

function single(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field[0] : field
}
