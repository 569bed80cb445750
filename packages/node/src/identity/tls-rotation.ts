/** Gives a TLS listener its new certificate when the key behind it was rotated. */
import type { SecureContextOptions } from 'node:tls'
import type { TlsCertificate } from '../http/connector.ts'

/** The part of an https server that is needed. */
interface TlsListener {
  setSecureContext(options: SecureContextOptions): void
}

/** Looks once a second, which is exact enough: partners accept both keys for the whole overlap, and a look costs a
 *  comparison. Open connections stay as they are. Ends when disposed. */
export function followTlsRotation(listener: TlsListener, tls: () => TlsCertificate, intervalMs = 1000): Disposable {
  let current = tls()
  const timer = setInterval(() => {
    const next = tls()
    if (next.cert === current.cert) return
    listener.setSecureContext({ cert: next.cert, key: next.key, minVersion: 'TLSv1.3' })
    current = next
  }, intervalMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
