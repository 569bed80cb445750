/** nginx as one process with a configuration of our own, in a temporary folder: upstream of the bench and the plain
 *  reverse proxy to compare with. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProcess, temporaryFolder, type BenchProcess } from './processes.ts'

export interface Nginx {
  readonly command: string
  readonly version: string
}

/** The nginx on the search path, or where Debian puts it; undefined when there is none. */
export function findNginx(): Nginx | undefined {
  for (const command of ['nginx', '/usr/sbin/nginx']) {
    const { status, stderr } = spawnSync(command, ['-v'], { encoding: 'utf8' })
    if (status === 0) return { command, version: /nginx\/[\d.]+/.exec(stderr)?.[0] ?? 'nginx' }
  }
  return undefined
}

/** Starts nginx with what `location /` shall do, and optionally a pool of connections to an upstream port, which the
 *  location then calls `http://upstream`. */
export async function startNginx(
  nginx: Nginx,
  { location, upstreamPort }: { location: string; upstreamPort?: number },
): Promise<BenchProcess & { port: number }> {
  const folder = temporaryFolder()
  const port = await freePort()
  const file = join(folder.path, 'nginx.conf')
  writeFileSync(file, configuration({ folder: folder.path, port, location, upstreamPort }))
  const started = startProcess(nginx.command, ['-p', folder.path, '-e', 'stderr', '-c', file])
  const stop = async (): Promise<void> => {
    await started[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  }
  try {
    await accepts(port)
  } catch (cause) {
    await stop()
    throw cause
  }
  return { ...started, port, [Symbol.asyncDispose]: stop }
}

interface Settings {
  folder: string
  port: number
  location: string
  upstreamPort: number | undefined
}

function configuration({ folder, port, location, upstreamPort }: Settings): string {
  const pool = `upstream upstream { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000000; }`
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  // Without a master, so that nothing is left of it when it is killed.
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_timeout 120s;
  keepalive_requests 1000000000;
  ${temporary.join(' ')}
  ${upstreamPort === undefined ? '' : pool}
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`
}

/** A port that was free a moment ago: nginx cannot be asked to pick one and tell it. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function accepts(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await connects(port)) return
    await sleep(50)
  }
  throw new Error(`nothing listens on port ${port} after 5 s`)
}

function connects(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
