/** UUIDs of version 7 (RFC 9562 §5.7): ids whose order is that of their time. */

export interface UuidV7Parts {
  /** Milliseconds since the epoch. */
  readonly timeMs: number
  /** Orders ids of one millisecond: 32 bits, in place of the topmost random ones (§6.2, method 1). */
  readonly sequence: number
  /** 16 bytes, of which the last 42 bits count. */
  readonly random: Uint8Array
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** In lower case. */
export function uuidV7({ timeMs, sequence, random }: UuidV7Parts): string {
  const byte = (value: number): string => hex[value & 0xff] as string
  const high = Math.floor(timeMs / 0x1_0000_0000)
  const time = `${byte(high >>> 8)}${byte(high)}${byte(timeMs >>> 24)}${byte(timeMs >>> 16)}-${byte(timeMs >>> 8)}${byte(timeMs)}`
  const version = `${byte(0x70 | (sequence >>> 28))}${byte(sequence >>> 20)}`
  const variant = `${byte(0x80 | ((sequence >>> 14) & 0x3f))}${byte(sequence >>> 6)}`
  let node = byte((sequence << 2) | ((random[10] ?? 0) & 0x03))
  for (let index = 11; index < 16; index++) node += byte(random[index] ?? 0)
  return `${time}-${version}-${variant}-${node}`
}
