/** What limits by address count. */
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The address of a peer as limits count it. A host of IPv6 has a network of 64 bits to itself (RFC 4291 §2.5.4), and
 *  with it more addresses than anybody can count: the network is what counts. IPv4 inside IPv6 counts as IPv4. */
export function countedAddress(remoteAddress: string): string {
  if (!isIPv6(remoteAddress)) return remoteAddress
  const address = ipaddr.process(remoteAddress)
  return address instanceof ipaddr.IPv6 ? `${address.parts.slice(0, 4).join(':')}/64` : address.toString()
}
