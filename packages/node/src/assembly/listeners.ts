/** The three listeners of a node: partners, local applications, administration. */
import { createAdmin } from './administration.ts'
import type { NodeParts } from '../node.ts'
import { openListener, type Listener, type ListenerOptions } from '../http/server.ts'

export interface NodeListeners {
  readonly ports: { readonly public: number; readonly local: number; readonly admin: number }
  readonly public: Listener
  /** Asks every peer, with its next answer, to connect anew. */
  announceEnd(): void
  /** Stops accepting everywhere, lets running calls end, gives up on them after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

type Place = Pick<ListenerOptions, 'address' | 'port' | 'tls' | 'handle'>

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
  const ports: Record<'public' | 'local' | 'admin', number> = {
    public: outward.port,
    local: local.port,
    admin: admin.port,
  }
  const adminListener = await open({ ...admin, handle: await createAdmin(parts, ports) })
  ports.admin = adminListener.port
  const localListener = await open({ ...local, handle: gateway.handleLocal })
  ports.local = localListener.port
  const publicListener = await open({
    address: outward.address,
    port: outward.port,
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

/** The admin listener ends last, so that a stopping node can still be asked. */
async function drainAll(listeners: readonly Listener[], graceMs: number): Promise<void> {
  const [last, ...others] = listeners.toReversed()
  await Promise.all(others.map((listener) => listener.drain(graceMs)))
  await last?.drain(Math.min(graceMs, 1_000))
}
