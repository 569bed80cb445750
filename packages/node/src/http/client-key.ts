/** The key of the certificate that a TLS client presented, looked up once per connection. */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ClientKeyOf } from './received-request.ts'

/** A lookup with its own memory. The handshake proved possession of the key; whose key it is, the DID document says. */
export function rememberClientKeys(): ClientKeyOf {
  const known = new WeakMap<TLSSocket, string | null>()
  return (socket) => {
    const earlier = known.get(socket)
    if (earlier !== undefined) return earlier ?? undefined
    const spki = socket.getPeerX509Certificate?.()?.publicKey.export({ type: 'spki', format: 'der' })
    const found = spki === undefined ? null : `sha256:${createHash('sha256').update(spki).digest('base64url')}`
    known.set(socket, found)
    return found ?? undefined
  }
}
