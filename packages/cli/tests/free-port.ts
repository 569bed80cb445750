/** Ports for nodes that must know theirs before they listen. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where test files that run at the same time tell each other which ports they have taken. */
const taken = join(tmpdir(), 'comity-test-ports')
/** No test file runs for longer. */
const takenForMs = 600_000
/** Above the ports that `fetch` refuses to call. */
const lowest = 10_100
/** Below the ports that the system gives to outgoing connections. */
const highest = Math.min(32_000, firstEphemeral())

/** 32,768 where the system does not say it. */
function firstEphemeral(): number {
  try {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/)[0])
    return first > lowest + 2_000 ? first : 32_768
  } catch {
    return 32_768
  }
}

/** A port that is free, that no outgoing connection is given meanwhile, and that no other test file is given either. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(randomInt(lowest, highest), '127.0.0.1')
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
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}
