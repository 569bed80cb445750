/** Whether something takes connections at an address: no request is sent, which could mean something to it. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const timeoutMs = 5_000

/** Resolves once the connection, and TLS where the address has it, stands. Throws the system's error. */
export function connects(url: URL): Promise<void> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const isTls = url.protocol === 'https:'
  const port = Number(url.port === '' ? (isTls ? 443 : 80) : url.port)
  return new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket: Socket = isTls ? connectTls({ host, port, ...servername }) : connectTcp({ host, port })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      resolve()
      socket.destroy()
    })
    socket.on('error', (error) => reject(firstError(error)))
  })
}

/** A connection to several addresses fails with one error for each. */
function firstError(error: Error): Error {
  const [first] = error instanceof AggregateError ? error.errors : [error]
  return first instanceof Error ? first : error
}
