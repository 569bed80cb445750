/** Cedar's `ipaddr`: an address with the length of its network. */
import { malformedError } from './evaluation-error.ts'

/** `10.0.0.0/8` or `2001:db8::1`; an address by itself has the full length. */
export class IpAddress {
  readonly bits: 32 | 128
  readonly address: bigint
  readonly prefix: number

  constructor(bits: 32 | 128, address: bigint, prefix: number) {
    this.bits = bits
    this.address = address
    this.prefix = prefix
  }

  get key(): string {
    return `ip:${this.bits}:${this.address}/${this.prefix}`
  }

  get isLoopback(): boolean {
    const network = this.#top(this.prefix) << BigInt(this.bits - this.prefix)
    return this.bits === 32 ? network >> 24n === 127n : network === 1n
  }

  get isMulticast(): boolean {
    if (this.bits === 32) return this.prefix >= 4 && this.#top(4) === 0b1110n
    return this.prefix >= 8 && this.#top(8) === 0xffn
  }

  /** True when all addresses of this network are in the other. */
  isInRange(other: IpAddress): boolean {
    return (
      this.bits === other.bits && this.prefix >= other.prefix && this.#top(other.prefix) === other.#top(other.prefix)
    )
  }

  #top(count: number): bigint {
    return this.address >> BigInt(this.bits - count)
  }
}

/** Reads an address as Cedar does: no zones, no IPv4 within IPv6, no leading zeros in decimals. */
export function parseIp(text: string): IpAddress {
  const slash = text.indexOf('/')
  const host = slash === -1 ? text : text.slice(0, slash)
  const bits = host.includes(':') ? 128 : 32
  const address = bits === 32 ? parseV4(host) : parseV6(host)
  const prefix = slash === -1 ? bits : parsePrefix(text.slice(slash + 1), bits)
  return text.length > 43 || address === undefined || prefix === undefined
    ? malformedError('ip')
    : new IpAddress(bits, address, prefix)
}

function parsePrefix(text: string, bits: number): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits ? Number(text) : undefined
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined
  return BigInt(parts.reduce((value, part) => value * 256 + Number(part), 0))
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::')
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  if (head === undefined || halves.length > 2) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = tail === undefined ? head : [...head, ...Array<string>(missing).fill('0'), ...tail]
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}
