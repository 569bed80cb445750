/** The key of the certificate that a TLS client presented, looked up once per connection. */
import type { TLSSocket } from 'node:tls'
import type { ClientKeyOf } from './received-request.ts'
import { spkiFingerprint } from './spki-fingerprint.ts'

/** A lookup with its own memory. The handshake proved possession of the key; whose key it is, the DID document says. */
export function rememberClientKeys(): ClientKeyOf {
  const known = new WeakMap<TLSSocket, string | null>()
  return (socket) => {
    const earlier = known.get(socket)
    if (earlier !== undefined) return earlier ?? undefined
    const certificate = socket.getPeerX509Certificate?.()
    const found = certificate === undefined ? null : spkiFingerprint(certificate)
    known.set(socket, found)
    return found ?? undefined
  }
}
