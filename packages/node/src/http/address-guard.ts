/** Which addresses the node may call on behalf of others: a stranger who names a host must not make the node talk to
 *  its own network (server-side request forgery, OWASP API7). */
import { isIP } from 'node:net'
import { Problem } from '@comity/core/problems'
import ipaddr from 'ipaddr.js'

/** Decides about single addresses and ports. */
export interface AddressGuard {
  /** True when the IP address (text, no brackets) may be called. */
  allowsAddress(address: string): boolean
  /** True when the port may be called. */
  allowsPort(port: number): boolean
}

export interface AddressGuardOptions {
  /** CIDR blocks that may be called though they are not public, e.g. `10.1.0.0/16`, `::1/128`. */
  readonly allowPrivateAddresses: readonly string[]
  /** The only ports that may be called. By default 443 and everything that is not a well-known port. */
  readonly ports?: readonly number[]
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = readonly [Address, number]

/** A guard for a configuration. Throws `config-invalid` when a block is not CIDR notation. */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const networks = options.allowPrivateAddresses.map(parseNetwork)
  const { ports } = options
  return {
    allowsAddress: (text) => {
      const address = parseAddress(text)
      return address !== undefined && (isPublic(address) || networks.some((network) => contains(network, address)))
    },
    allowsPort: (port) => (ports === undefined ? port === 443 || port >= 1024 : ports.includes(port)),
  }
}

/** Reads CIDR notation. Throws `config-invalid`. */
export function parseNetwork(text: string): Network {
  if (!ipaddr.isValidCIDR(text)) throw new Problem('config-invalid', `\`${text}\` is not a network in CIDR notation`)
  return ipaddr.parseCIDR(text)
}

/** Unicast space of the internet. Everything with a special purpose is out, also the forms of IPv6 that carry an
 *  IPv4 address inside (mapped, 6to4, Teredo, NAT64), since they reach private hosts by another spelling. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  // 2000::/3 is the only global unicast space that IANA has given out (RFC 4291 §2.4).
  return address.kind() === 'ipv4' || (address.toByteArray()[0] ?? 0) >> 5 === 1
}

function contains([network, prefix]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, prefix)
}

/** The strict spellings only: `isIP` knows no octal, hexadecimal or shortened IPv4. */
function parseAddress(text: string): Address | undefined {
  return isIP(text) !== 0 && ipaddr.isValid(text) ? ipaddr.parse(text) : undefined
}
