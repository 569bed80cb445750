/** Ports for nodes that must know theirs before they listen. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where test files that run at the same time tell each other which ports they have taken. */
const taken = join(tmpdir(), 'comity-test-ports')
/** No test file runs for longer. */
const takenForMs = 600_000

/** A port that is free, that no outgoing connection is given meanwhile (below the ephemeral ports), and that no other test
 *  file is given either. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(randomInt(12_000, 32_000), '127.0.0.1')
  const port = await once(server, 'listening').then(
    () => (server.address() as AddressInfo).port,
    () => undefined,
  )
  if (port === undefined) return freePort()
  const isMine = await take(port)
  await once(server.close(), 'close')
  return isMine ? port : freePort()
}

async function take(port: number): Promise<boolean> {
  const place = join(taken, String(port))
  await mkdir(taken, { recursive: true })
  const since = await stat(place).catch(() => undefined)
  if (since !== undefined && Date.now() - since.mtimeMs > takenForMs) await rm(place, { force: true })
  return writeFile(place, '', { flag: 'wx' }).then(
    () => true,
    () => false,
  )
}
