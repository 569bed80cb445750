/** The listeners of a node: partners, local applications, administration and, where it is configured, the people whose
 *  data it is. */
import { readFile } from 'node:fs/promises'
import { createAdmin } from './administration.ts'
import { createFailureLimit } from './limits.ts'
import type { NodeParts } from '../node.ts'
import { guardLocal } from '../gateway/outbound/local-client.ts'
import { openListener, type Listener, type ListenerOptions } from '../http/server.ts'

export interface NodePorts {
  readonly public: number
  readonly local: number
  readonly admin: number
  /** Absent when there is no such listener. */
  readonly people?: number
}

export interface NodeListeners {
  readonly ports: NodePorts
  readonly public: Listener
  /** Asks every peer, with its next answer, to connect anew. */
  announceEnd(): void
  /** Stops accepting everywhere, lets running calls end, gives up on them after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

type Place = Pick<
  ListenerOptions,
  'address' | 'port' | 'tls' | 'handle' | 'asksForClientCertificate' | 'balancers' | 'sharesConnections'
>

/** Opens them; the public one last, when everything behind it answers. */
export async function openListeners(parts: NodeParts, stack: AsyncDisposableStack): Promise<NodeListeners> {
  const { foundation, gateway, newId } = parts
  const { config, identity, events } = foundation
  const { public: outward, local, admin } = config.listen
  const opened: Listener[] = []
  stack.defer(() => drainAll(opened, 0))
  const open = async (place: Place): Promise<Listener> => {
    const listener = await openListener({
      ...place,
      limits: config.limits,
      requestId: newId,
      onRefusedConnection: (code, remoteAddress) => {
        gateway.tally.count(code, remoteAddress)
        events.connectionRefused(code)
      },
      onInternalError: (error) => events.internalError(error),
    })
    opened.push(listener)
    return listener
  }
  const ports: { -readonly [name in keyof NodePorts]: NodePorts[name] } = {
    public: outward.port,
    local: local.port,
    admin: admin.port,
    ...(config.listen.people !== undefined && { people: config.listen.people.port }),
  }
  const adminListener = await open({ ...admin, handle: await createAdmin(parts, ports) })
  ports.admin = adminListener.port
  const localListener = await open({ ...local, handle: localHandler(parts) })
  ports.local = localListener.port
  const peopleListener = await openPeopleListener(parts, open)
  if (peopleListener !== undefined) ports.people = peopleListener.port
  const publicListener = await open({
    address: outward.address,
    port: outward.port,
    balancers: outward.balancers,
    sharesConnections: outward.balancers.length === 0,
    tls: identity.tls(),
    handle: gateway.handlePublic,
  })
  ports.public = publicListener.port
  return {
    ports,
    public: publicListener,
    announceEnd: () => opened.forEach((listener) => listener.announceEnd()),
    drain: (graceMs) => drainAll(opened.toReversed(), graceMs),
  }
}

/** What applications ask for, behind the gate for their API keys. */
function localHandler({ foundation, gateway, apiKeys, replicas, newId }: NodeParts): Place['handle'] {
  const { config, world, events, metrics } = foundation
  const { address, port, allowInsecureRemote, authentication } = config.listen.local
  return guardLocal(
    {
      world,
      keys: apiKeys.port,
      environment: config.environment,
      authentication,
      trustedAuthorities: new Set(allowInsecureRemote ? [`${address}:${port}`] : []),
      clients: gateway.localClients,
      tally: gateway.tally,
      failures: createFailureLimit(config),
      observer: {
        internalError: (error, id) => events.internalError(error, id),
        denied: (code) => metrics.denial('outbound', code),
      },
      newId,
    },
    replicas.handle,
  )
}

/** People come with browsers: no client certificate is asked for, and TLS is that of a public authority or ends in front. */
async function openPeopleListener(
  { foundation, consent }: NodeParts,
  open: (place: Place) => Promise<Listener>,
): Promise<Listener | undefined> {
  const { people } = foundation.config.listen
  if (people === undefined || consent.people === undefined) return undefined
  const { address, port, tls } = people
  const handle = consent.people.handle
  if (tls === undefined) return open({ address, port, handle })
  const [cert, key] = await Promise.all([readFile(tls.cert, 'utf8'), readFile(tls.key, 'utf8')])
  return open({ address, port, handle, tls: { cert, key }, asksForClientCertificate: false })
}

/** The admin listener ends last, so that a stopping node can still be asked. */
async function drainAll(listeners: readonly Listener[], graceMs: number): Promise<void> {
  const [last, ...others] = listeners.toReversed()
  await Promise.all(others.map((listener) => listener.drain(graceMs)))
  await last?.drain(Math.min(graceMs, 1_000))
}
