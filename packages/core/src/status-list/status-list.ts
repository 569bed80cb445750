/** Arrays of statuses as bytes (draft-ietf-oauth-status-list-21 §4): 1, 2, 4 or 8 bits each, the first in the lowest
 *  bits of its byte. Their compressed form is DEFLATE in ZLIB (RFC 1950), in base64url; the compression is an argument,
 *  since this package runs where there is none. */
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { Problem } from '../problems.ts'

export const statusSizes = [1, 2, 4, 8] as const
/** Bits of one status. */
export type StatusSize = (typeof statusSizes)[number]

/** Statuses with a meaning (§7.1). */
export const statusValues = { valid: 0, invalid: 1, suspended: 2 } as const
export type StatusName = keyof typeof statusValues

/** Largest list that is read, in bytes when it is not compressed: a million statuses of 8 bits. */
export const maxStatusListBytes = 1_048_576

export interface StatusList {
  readonly bits: StatusSize
  readonly bytes: Uint8Array
}

/** ZLIB (RFC 1950) compression. */
export type Deflate = (bytes: Uint8Array) => Uint8Array
/** Its inverse. Must throw, without having made them, when there are more than `maxBytes` bytes. */
export type Inflate = (bytes: Uint8Array, maxBytes: number) => Uint8Array

/** A list with all statuses 0. `size` is in statuses, a whole number of bytes of them. */
export function createStatusList(bits: StatusSize, size: number): StatusList {
  return { bits, bytes: new Uint8Array(Math.ceil((size * bits) / 8)) }
}

/** How many statuses the list holds. */
export function statusCount({ bits, bytes }: StatusList): number {
  return (bytes.length * 8) / bits
}

/** The status at an index. Throws `status-list-invalid` for an index that is not in the list (§8.3). */
export function getStatus(list: StatusList, index: number): number {
  const { byte, shift, mask } = placeOf(list, index)
  return ((list.bytes[byte] ?? 0) >> shift) & mask
}

/** Changes the list in place. Throws `status-list-invalid` for an index or a value that does not fit. */
export function setStatus(list: StatusList, index: number, value: number): void {
  const { byte, shift, mask } = placeOf(list, index)
  if (!Number.isInteger(value) || value < 0 || value > mask)
    throw invalid(`${value} is not a status of ${list.bits} bits`)
  list.bytes[byte] = ((list.bytes[byte] ?? 0) & ~(mask << shift)) | (value << shift)
}

/** The members of a `status_list` claim (§4.2). */
export interface EncodedStatusList {
  readonly bits: StatusSize
  readonly lst: string
}

/** The list compressed; by the best compression there is, says §4.1. */
export function encodeStatusList({ bits, bytes }: StatusList, deflate: Deflate): EncodedStatusList {
  return { bits, lst: encodeBase64url(deflate(bytes)) }
}

/** The list of a claim. Throws `status-list-invalid` when it is damaged, empty or larger than `maxBytes`. */
export function decodeStatusList(
  { bits, lst }: EncodedStatusList,
  inflate: Inflate,
  maxBytes = maxStatusListBytes,
): StatusList {
  const bytes = inflated(lst, inflate, maxBytes)
  if (bytes.length === 0 || bytes.length > maxBytes) throw invalid(`the list is empty or over ${maxBytes} bytes`)
  return { bits, bytes }
}

function inflated(lst: string, inflate: Inflate, maxBytes: number): Uint8Array {
  try {
    return inflate(decodeBase64url(lst), maxBytes)
  } catch (cause) {
    throw invalid('`lst` is not a compressed list within the limit', cause)
  }
}

function placeOf(list: StatusList, index: number): { byte: number; shift: number; mask: number } {
  if (!Number.isInteger(index) || index < 0 || index >= statusCount(list)) throw invalid('the index is not in the list')
  const bit = index * list.bits
  return { byte: bit >>> 3, shift: bit & 7, mask: (1 << list.bits) - 1 }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('status-list-invalid', detail, { cause })
}
