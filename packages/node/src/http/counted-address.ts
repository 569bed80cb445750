/** What limits by address count. */
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Addresses read last, since a call asks several times and reading one takes microseconds. */
const known = new Map<string, string>()
const maxKnown = 1_000

/** The address of a peer as limits count it. A host of IPv6 has a network of 64 bits to itself (RFC 4291 §2.5.4), and
 *  with it more addresses than anybody can count: the network is what counts. IPv4 inside IPv6 counts as IPv4. */
export function countedAddress(remoteAddress: string): string {
  if (!remoteAddress.includes(':')) return remoteAddress
  const counted = known.get(remoteAddress)
  if (counted !== undefined) return counted
  const read = readAddress(remoteAddress)
  if (known.size >= maxKnown) known.clear()
  known.set(remoteAddress, read)
  return read
}

function readAddress(remoteAddress: string): string {
  if (!isIPv6(remoteAddress)) return remoteAddress
  const address = ipaddr.process(remoteAddress)
  return address instanceof ipaddr.IPv6 ? `${address.parts.slice(0, 4).join(':')}/64` : address.toString()
}
