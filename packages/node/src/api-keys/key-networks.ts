/** The networks that a key may be used from. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

/** Verdicts that are remembered for each key. */
const maxRemembered = 256

/** True for CIDR notation with an address in its usual spelling: `192.0.2.0/24`, `2001:db8::/32`; and for an address,
 *  which is a network of one. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return more.length === 0 && /^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= most && !address.includes('%')
}

/** The network's own address and its bits: `192.0.2.17/24` and `::ffff:192.0.2.0/120` are `192.0.2.0/24`. */
export function canonicalNetwork(text: string): string {
  const [address, bits] = parseNetwork(text)
  const base =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`)
  return `${base.toString()}/${bits}`
}

/** Whether an address, in any spelling, is within one of the networks; all are when there are none. What is no address
 *  is within none. */
export function addressCheck(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true
  const parsed = networks.map(parseNetwork)
  const known = new Map<string, boolean>()
  return (text) => {
    const remembered = known.get(text)
    if (remembered !== undefined) return remembered
    if (known.size >= maxRemembered) known.clear()
    const allowed = isWithin(text, parsed)
    known.set(text, allowed)
    return allowed
  }
}

function isWithin(text: string, networks: readonly Network[]): boolean {
  const bare = text.split('%', 1)[0] ?? ''
  if (isIP(bare) === 0) return false
  // IPv4 inside IPv6 is IPv4, as the listener sees callers on a socket for both.
  const address = ipaddr.process(bare)
  return networks.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits))
}

function parseNetwork(text: string): Network {
  const [address, bits] = ipaddr.parseCIDR(isIP(text) === 0 ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`)
  if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress() || bits < 96) return [address, bits]
  return [address.toIPv4Address(), bits - 96]
}
