/** Free ports of the loopback interface for programs that must be told theirs beforehand. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range from which systems take the ports of outgoing connections. */
const firstPort = 15_000
const portsPerProcess = 16
const processes = 1_000
const lastPort = firstPort + portsPerProcess * processes

let next = firstPort + (process.pid % processes) * portsPerProcess

/** A port that nobody listens on and that this process was not given before. Processes that run at the same time begin
 *  at different places, so that none takes what another one is about to use. */
export async function freePort(): Promise<number> {
  for (let tried = firstPort; tried < lastPort; tried += 1) {
    const port = next
    next = next + 1 < lastPort ? next + 1 : firstPort
    if (await isFree(port)) return port
  }
  throw new Error('no port of the loopback interface is free')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
