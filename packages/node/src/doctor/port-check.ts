/** Checks that the listeners can have their ports, or that the running node has them. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, good, type Finding } from './finding.ts'

const names = ['public', 'local', 'admin', 'people'] as const

export async function checkPorts({ config, running }: Pick<DoctorOptions, 'config' | 'running'>): Promise<Finding[]> {
  const listeners = names.flatMap((name) => {
    const place = config.listen[name]
    return place === undefined ? [] : [{ name, ...place }]
  })
  return Promise.all(
    listeners.map(async ({ name, address, port }) => {
      return decidePort({
        name,
        address,
        port,
        fault: await bindFault(address, port),
        heldByNode: running?.ports[name],
      })
    }),
  )
}

export interface PortFacts {
  readonly name: string
  readonly address: string
  readonly port: number
  /** The system's error code when the port could not be had. */
  readonly fault: string | undefined
  /** The port that the running node has; undefined when none runs. */
  readonly heldByNode: number | undefined
}

/** The verdict about one listener. */
export function decidePort({ name, address, port, fault, heldByNode }: PortFacts): Finding {
  const check = `port ${name}`
  const place = `${address}:${port}`
  if (heldByNode === port && fault === 'EADDRINUSE') return good(check, `${place} is held by the running node`)
  if (fault === undefined) {
    if (heldByNode === undefined || port === 0) return good(check, port === 0 ? 'any free port' : `${place} is free`)
    return caution(
      check,
      `the running node listens on ${heldByNode}, not on ${port}`,
      'restart it to take the change over',
    )
  }
  if (fault === 'EADDRINUSE') {
    return bad(check, `${place} is held by another program`, `stop that program, or change \`listen.${name}.port\``)
  }
  if (fault === 'EACCES') {
    return bad(
      check,
      `${place} needs a privilege that this user lacks`,
      'use a port from 1024 on, or grant CAP_NET_BIND_SERVICE',
    )
  }
  if (fault === 'EADDRNOTAVAIL') {
    return bad(check, `${address} is not an address of this machine`, `change \`listen.${name}.address\``)
  }
  return bad(check, `${place} cannot be listened on (${fault})`, `change \`listen.${name}\``)
}

/** Takes the port for a moment. Gives the system's error code when that fails. */
async function bindFault(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  } finally {
    server.close()
  }
}
