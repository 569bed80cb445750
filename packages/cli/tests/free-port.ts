/** Ports for nodes that must know theirs before they listen. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** A port that is free and that no outgoing connection is given meanwhile: below the ephemeral ports. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(randomInt(12_000, 32_000), '127.0.0.1')
  const port = await once(server, 'listening').then(
    () => (server.address() as AddressInfo).port,
    () => undefined,
  )
  if (port === undefined) return freePort()
  await once(server.close(), 'close')
  return port
}
