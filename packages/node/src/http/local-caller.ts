/** Listeners for this machine only: the caller is a program on it, not a web page and not a host beyond it. */
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from './received-request.ts'

const loopbackNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

/** Throws `local-caller-refused` unless the connection comes from loopback (or the operator opened the listener to
 *  `trustedAuthorities`), `Host` names it (else a web page got here by DNS rebinding), and no browser sent it. */
export function requireLocalCaller(request: ReceivedRequest, trustedAuthorities: ReadonlySet<string>): void {
  const trusted = trustedAuthorities.has(request.authority)
  if (!trusted && !(isLoopback(request.remoteAddress) && loopbackNames.test(request.authority))) {
    throw new Problem('local-caller-refused', 'this listener serves applications on the same machine')
  }
  const site = request.header('sec-fetch-site')
  if (request.header('origin') !== undefined || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw new Problem('local-caller-refused', 'web pages may not call this listener')
  }
}
