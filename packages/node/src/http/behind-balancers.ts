/** Connections that come through a balancer which hands TCP through: who called is what the balancer says before TLS
 *  begins, so that limits by address and the networks of keys are about callers. */
import type { Server } from 'node:https'
import { BlockList, isIPv6, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import ipaddr from 'ipaddr.js'
import { readProxyHeader } from './proxy-header.ts'

export interface BalancerOptions {
  /** CIDR: connections from there begin with a header of the PROXY protocol, all others with TLS. */
  readonly balancers: readonly string[]
  /** How long the header and the handshake may take together. */
  readonly timeoutMs: number
  /** Told of a balancer that sent something else. */
  readonly onMalformed: (remoteAddress: string) => void
}

/** Takes the place of what the server does with a new connection, and does that once the header was read. To be called
 *  before it listens. */
export function readCallersOf(server: Server, options: BalancerOptions): void {
  const isBalancer = addressCheck(options.balancers)
  /** By the balancer's end of the connection. */
  const handshakes = new Map<string, Handshake>()
  const handlers = server.listeners('connection')
  server.removeAllListeners('connection')
  const handOn = (socket: Socket) => handlers.forEach((handle) => void handle.call(server, socket))
  server.on('connection', (socket: Socket) => {
    if (!isBalancer(socket.remoteAddress ?? '')) return handOn(socket)
    const end = endOf(socket)
    const timer = setTimeout(() => socket.destroy(), options.timeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      handshakes.delete(end)
    })
    readCaller(socket, options, (caller) => {
      handshakes.set(end, { caller, timer })
      handOn(socket)
    })
  })
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const { caller, timer } = handshakes.get(endOf(socket)) ?? {}
    clearTimeout(timer)
    if (caller !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: caller })
  })
}

/** What of a connection is known when its header was read. */
interface Handshake {
  readonly caller: string | undefined
  readonly timer: NodeJS.Timeout
}

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Leaves what follows the header to be read by whoever comes next. */
function readCaller(
  socket: Socket,
  { onMalformed }: BalancerOptions,
  next: (caller: string | undefined) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const giveUp = () => void socket.destroy()
  const read = () => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const header = readProxyHeader(bytes)
    if (header === 'incomplete') return
    stop()
    if (header === 'malformed') {
      onMalformed(socket.remoteAddress ?? '')
      giveUp()
      return
    }
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
    next(header.address)
  }
  const stop = () => void socket.off('readable', read).off('end', giveUp)
  socket.on('readable', read).once('end', giveUp).once('close', stop).on('error', giveUp)
}

/** Whether an address, IPv4 inside IPv6 too, is within one of the networks. */
function addressCheck(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [base, bits] = ipaddr.parseCIDR(network)
    list.addSubnet(base.toString(), bits, base.kind())
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
