/** Whether what is sent to a host stays on this machine. */
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** True for loopback and for the addresses of this machine's own interfaces. Of names only `localhost`: whoever answers
 *  for another one chooses where it leads. An IPv6 address may be in brackets, as in a URL. */
export function staysOnThisMachine(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (address === 'localhost') return true
  const version = isIP(address)
  if (version === 0) return false
  const own = new BlockList()
  own.addSubnet('127.0.0.0', 8, 'ipv4')
  own.addAddress('::1', 'ipv6')
  for (const { address: taken, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    own.addAddress(taken.split('%')[0] ?? taken, family === 'IPv4' ? 'ipv4' : 'ipv6')
  }
  return own.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
