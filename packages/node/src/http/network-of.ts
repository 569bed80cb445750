/** The network that an address is in, for what is kept of callers: an address may be a person's. */
import ipaddr from 'ipaddr.js'

/** `192.0.2.17` → `192.0.2.0`, `2001:db8:7:1::5` → `2001:db8:7::`: 24 bits of IPv4, 48 of IPv6. */
export function networkOf(address: string): string {
  const bare = address.split('%', 1)[0] ?? address
  if (!ipaddr.isValid(bare)) return '0.0.0.0'
  const parsed = ipaddr.process(bare)
  return parsed.kind() === 'ipv4'
    ? ipaddr.IPv4.networkAddressFromCIDR(`${parsed.toString()}/24`).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/48`).toString()
}
