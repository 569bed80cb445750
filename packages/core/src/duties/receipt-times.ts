/** Which times a duty's receipt may bear: `at` and `iat` choose the key that it is verified with, so that a time before
 *  the duty would let a key count that was long out of use, and one to come says nothing. Pure. */
import type { DutyReceiptClaims } from './duty-receipt.ts'

export interface ReceiptTimeBounds {
  /** When the duty was imposed, in milliseconds since the epoch; the time in its id, unless told. */
  readonly createdMs?: number | undefined
  /** When the receipt is judged, or was at hand at the latest, in milliseconds since the epoch. */
  readonly nowMs: number
  /** How far the debtor's clock may differ. */
  readonly skewSeconds: number
}

type ReceiptTimes = Pick<DutyReceiptClaims, 'duty' | 'iat' | 'at' | 'replicas'>

/** What is impossible about the times of a receipt, or undefined when nothing is. */
export function receiptTimeFault(claims: ReceiptTimes, bounds: ReceiptTimeBounds): string | undefined {
  const { iat, at, replicas } = claims
  const { createdMs = timeOfId(claims.duty), nowMs, skewSeconds } = bounds
  const skewMs = skewSeconds * 1000
  // `iat` is whole seconds, cut off.
  const signedMs = iat * 1000 + 999
  if (createdMs !== undefined && Math.min(at, signedMs) < createdMs - skewMs) return 'it is dated before the duty'
  if (Math.max(at, iat * 1000) > nowMs + skewMs) return 'it is dated in the future'
  if (signedMs < at - skewMs) return 'it was signed before it was done'
  if (replicas !== undefined && replicas.at > at + skewMs) return 'copies were removed after it was done'
  return undefined
}

/** When the key of a receipt has to be in use, in milliseconds since the epoch. */
export function receiptKeyTime({ iat, at }: Pick<ReceiptTimes, 'iat' | 'at'>): number {
  return Math.max(at, iat * 1000)
}

const uuidV7 = /^(?<high>[0-9a-f]{8})-(?<low>[0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The time in a UUIDv7; undefined for another id. */
function timeOfId(id: string): number | undefined {
  const { high, low } = uuidV7.exec(id)?.groups ?? {}
  return high === undefined || low === undefined ? undefined : Number.parseInt(`${high}${low}`, 16)
}
