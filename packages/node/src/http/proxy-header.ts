/** The header of the PROXY protocol (haproxy.org/download/3.2/doc/proxy-protocol.txt), versions 1 and 2: by it a balancer
 *  that hands TCP through tells, before the first byte of TLS, who called it. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export interface ProxyHeader {
  /** Bytes that it takes. */
  readonly length: number
  /** The caller's IP address; undefined where the balancer calls by itself, to see whether the node is well. */
  readonly address: string | undefined
}

const textStart = Buffer.from('PROXY ')
const binaryStart = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Longest header of version 1, its line end included (§2.1). */
const maxTextBytes = 107
/** Of version 2 with all that balancers add; the format would allow 64 KiB. */
const maxBinaryBytes = 4_096

/** Reads it from the first bytes of a connection: `incomplete` while more have to come, `malformed` for what is none. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (isStartOf(textStart, bytes)) return bytes.length < textStart.length ? 'incomplete' : readText(bytes)
  if (isStartOf(binaryStart, bytes)) return bytes.length < binaryStart.length ? 'incomplete' : readBinary(bytes)
  return 'malformed'
}

function isStartOf(start: Buffer, bytes: Buffer): boolean {
  const length = Math.min(start.length, bytes.length)
  return start.subarray(0, length).equals(bytes.subarray(0, length))
}

/** `PROXY TCP4 192.0.2.7 198.51.100.1 50123 443\r\n` (§2.1). */
function readText(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const end = bytes.subarray(0, maxTextBytes).indexOf('\r\n')
  if (end < 0) return bytes.length < maxTextBytes ? 'incomplete' : 'malformed'
  const length = end + 2
  const words = bytes.toString('latin1', textStart.length, end).split(' ')
  const [family, source = '', target = '', ...ports] = words
  if (family === 'UNKNOWN') return { length, address: undefined }
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined
  const isRight = isIP(source) === version && isIP(target) === version && ports.length === 2 && ports.every(isPort)
  return version !== undefined && isRight ? { length, address: source } : 'malformed'
}

const isPort = (text: string): boolean => /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535

/** Version and command, family, length of the rest, addresses and what is added to them (§2.2). */
function readBinary(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const fixed = binaryStart.length + 4
  if (bytes.length < fixed) return 'incomplete'
  const [command, family] = [bytes[12], bytes[13]]
  const length = fixed + bytes.readUInt16BE(14)
  if ((command !== 0x20 && command !== 0x21) || length > maxBinaryBytes) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  if (command === 0x20 || family === 0x00) return { length, address: undefined }
  const size = family === 0x11 ? 4 : family === 0x21 ? 16 : undefined
  // Two addresses and two ports.
  if (size === undefined || length < fixed + 2 * size + 4) return 'malformed'
  return { length, address: ipaddr.fromByteArray([...bytes.subarray(fixed, fixed + size)]).toString() }
}
