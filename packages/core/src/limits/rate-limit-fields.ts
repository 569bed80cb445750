/** The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) and `Retry-After`
 *  (RFC 9110 §10.2.3). The node writes them, the client paces itself by them.
 *
 *      RateLimit-Policy: "burst";q=100;w=60
 *      RateLimit: "burst";r=50;t=30                                                                         */
import { parseList, type Item } from 'structured-headers'
import { encodeBase64 } from '../bytes/base64.ts'

/** One item of `RateLimit-Policy`. */
export interface AnnouncedPolicy {
  readonly name: string
  /** Units per window. */
  readonly quota: number
  readonly unit: string
  readonly windowSeconds: number | undefined
  /** Units that fit at once, where those are not as many as `quota` (`comity-burst`, a parameter of Comity's own). */
  readonly burst?: number
  /** What the limit counts by, as base64; the same limit may stand there once for each. */
  readonly partition?: string
}

/** One item of `RateLimit`. */
export interface AnnouncedLimit {
  readonly name: string
  /** Units left now. */
  readonly remaining: number
  /** Seconds until there is more. */
  readonly resetSeconds: number | undefined
  readonly partition?: string
}

type Parameters = Item[1]

function items(text: string | null | undefined): readonly Item[] {
  if (text === null || text === undefined || text === '' || text.length > 4_096) return []
  try {
    return parseList(text).filter((member): member is Item => !Array.isArray(member[0]))
  } catch {
    return []
  }
}

function count(parameters: Parameters, key: string): number | undefined {
  const value = parameters.get(key)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function partitionIn(parameters: Parameters): { partition?: string } {
  const value = parameters.get('pk')
  return value instanceof ArrayBuffer ? { partition: encodeBase64(new Uint8Array(value)) } : {}
}

function burstIn(parameters: Parameters): { burst?: number } {
  const burst = count(parameters, 'comity-burst')
  return burst === undefined ? {} : { burst }
}

/** Reads `RateLimit-Policy`. What is malformed is ignored, as the draft demands: an empty list at worst. */
export function parseRateLimitPolicy(text: string | null | undefined): AnnouncedPolicy[] {
  return items(text).flatMap(([name, parameters]) => {
    const quota = count(parameters, 'q')
    if (typeof name !== 'string' || quota === undefined) return []
    const unit = parameters.get('qu')
    return [
      {
        name,
        quota,
        unit: typeof unit === 'string' ? unit : 'requests',
        windowSeconds: count(parameters, 'w'),
        ...burstIn(parameters),
        ...partitionIn(parameters),
      },
    ]
  })
}

/** Reads `RateLimit`. What is malformed is ignored. */
export function parseRateLimit(text: string | null | undefined): AnnouncedLimit[] {
  return items(text).flatMap(([name, parameters]) => {
    const remaining = count(parameters, 'r')
    if (typeof name !== 'string' || remaining === undefined) return []
    return [{ name, remaining, resetSeconds: count(parameters, 't'), ...partitionIn(parameters) }]
  })
}

/** What an item may say beside its numbers: `partition` is what the limit counts by, as base64 of bytes. */
export interface ItemExtras {
  readonly partition?: string | undefined
}

const partitionOf = ({ partition }: ItemExtras) => (partition === undefined ? '' : `;pk=:${partition}:`)

/** What an item of `RateLimit-Policy` may say: `unit` other than requests, `burst` the units that fit at once. */
export interface PolicyExtras extends ItemExtras {
  readonly windowSeconds?: number | undefined
  readonly unit?: string | undefined
  readonly burst?: number | undefined
}

/** One item of `RateLimit-Policy`. `name` must be printable ASCII without `"` and `\`. */
export function rateLimitPolicyItem(name: string, quota: number, window: number | PolicyExtras): string {
  const { windowSeconds, unit, burst, ...extras }: PolicyExtras =
    typeof window === 'number' ? { windowSeconds: window } : window
  const unitText = unit === undefined ? '' : `;qu="${unit}"`
  const windowText = windowSeconds === undefined ? '' : `;w=${windowSeconds}`
  const burstText = burst === undefined ? '' : `;comity-burst=${burst}`
  return `"${name}";q=${quota}${unitText}${windowText}${burstText}${partitionOf(extras)}`
}

/** One item of `RateLimit`; the times are whole seconds. */
export function rateLimitItem(
  name: string,
  remaining: number,
  reset: number | (ItemExtras & { readonly resetSeconds?: number | undefined }),
): string {
  const { resetSeconds, ...extras } = typeof reset === 'number' ? { resetSeconds: reset } : reset
  return `"${name}";r=${remaining}${resetSeconds === undefined ? '' : `;t=${resetSeconds}`}${partitionOf(extras)}`
}

/** Milliseconds to wait by a `Retry-After` of seconds or of an HTTP date; undefined when it is neither. */
export function parseRetryAfter(text: string | null | undefined, nowMs: number): number | undefined {
  if (text === null || text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

/** Milliseconds a client should wait before its next call, by what the last answer announced; 0 when it may go on.
 *  `Retry-After` wins; otherwise the exhausted limit that recovers last decides. */
export function announcedWaitMs(
  answer: { readonly retryAfter?: string | null; readonly rateLimit?: string | null },
  nowMs: number,
): number {
  const explicit = parseRetryAfter(answer.retryAfter, nowMs)
  if (explicit !== undefined) return explicit
  const waits = parseRateLimit(answer.rateLimit).map((limit) =>
    limit.remaining > 0 ? 0 : (limit.resetSeconds ?? 1) * 1_000,
  )
  return Math.max(0, ...waits)
}
