/** Push delivery of security event tokens over HTTP (RFC 8935): what the receiver's answer means to the sender. */
import type { DeliveryOutcome } from '../storage/redelivery.ts'

/** Sends a token to the participant's `POST /events`. A rejection counts as not reached; `signal` aborts when the
 *  node stops. */
export type Deliver = (recipient: string, token: string, signal: AbortSignal) => Promise<DeliveryOutcome>

/** The receiver's HTTP answer. */
export interface DeliveryAnswer {
  readonly status: number
  readonly retryAfter?: string | undefined
  /** Content of a 400, `{ "err": "…", "description": "…" }` (RFC 8935 §2.3), or of another status, a problem document. */
  readonly body?: string | undefined
}

/** Reads an answer: 202 (or any success) acknowledges; 400 refuses; everything else may pass. */
export function readDeliveryAnswer({ status, retryAfter, body }: DeliveryAnswer, nowMs: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { acknowledged: true }
  const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, nowMs)
  const reason = [`status ${status}`, ...errorOf(body)].join(': ')
  return { acknowledged: false, reason, retryAfterMs, isRefused: status === 400 }
}

/** Milliseconds of a `Retry-After` field (RFC 9110 §10.2.3), seconds or a date; undefined when it is neither. */
export function parseRetryAfter(value: string, nowMs: number): number | undefined {
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = text.endsWith(' GMT') ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}

function errorOf(body: string | undefined): string[] {
  if (body === undefined || body.length > 4096) return []
  try {
    const { err, description, code, detail } = JSON.parse(body) as Readonly<Record<string, unknown>>
    return [err ?? code, description ?? detail]
      .filter((part) => typeof part === 'string')
      .map((part) => part.slice(0, 200))
  } catch {
    return []
  }
}
