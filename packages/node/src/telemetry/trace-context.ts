/** The header field `traceparent` (W3C Trace Context §3.2): `00-<32 hex>-<16 hex>-<2 hex>`. */
import { hexOf } from './trace-ids.ts'
import type { RandomBytes } from '@comity/core/ports'

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  readonly sampled: boolean
}

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads the field; undefined when it is absent or not valid, since a caller's mistake in it stops no call. Versions
 *  above `00` may have more parts, which are ignored (§3.2.4). */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = text === undefined || text.length > 128 ? null : pattern.exec(text)
  if (match === null || (text?.startsWith('00') === true && match[4] !== undefined)) return undefined
  const [, traceId = '', spanId = '', flags = '00'] = match
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** Writes the field, version `00`. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** A new trace, as one begins at the border of an organisation: a partner's ids are not carried on (§6.3). */
export function newTraceContext(randomBytes: RandomBytes, sampled: boolean): TraceContext {
  return { traceId: hexOf(randomBytes(16)), spanId: hexOf(randomBytes(8)), sampled }
}
