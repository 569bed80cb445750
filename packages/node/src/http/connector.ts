/** Opens TLS 1.3 connections for undici (`new Pool(origin, { connect: guardedConnector(…) })`): the name is resolved
 *  once, the addresses pass the guard and are pinned, and the peer is trusted for a stated reason or not at all. */
import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import {
  connect,
  createSecureContext,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { Problem } from '@comity/core/problems'
import type { buildConnector } from 'undici'
import type { AddressGuard } from './address-guard.ts'
import { spkiFingerprint } from './spki-fingerprint.ts'

/** Why a peer is believed: its key is one of these, whatever its certificate says; or a public authority vouches for
 *  its name. There is no third way. */
export type PeerTrust = { readonly fingerprints: readonly string[] } | { readonly publicAuthority: true }

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** All addresses of a host name. */
export type LookupAddresses = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** Certificate and private key as PEM. */
export interface TlsCertificate {
  readonly cert: string
  readonly key: string
}

export interface ConnectorOptions {
  readonly guard: AddressGuard
  /** Asked anew for each connection, since pins change when the partner rotates its TLS key. */
  readonly trust: () => PeerTrust
  /** What to present when the peer asks for a client certificate; asked anew for each connection. */
  readonly clientCertificate?: (() => TlsCertificate) | undefined
  /** By default the system's resolver. */
  readonly lookup?: LookupAddresses | undefined
  /** Further authorities beside the public ones (PEM), for `publicAuthority`. */
  readonly authorities?: readonly string[] | undefined
  /** Time for resolution and handshake together. Default 5,000 ms. */
  readonly timeoutMs?: number | undefined
}

interface Target {
  readonly hostname: string
  readonly port: number
}

/** A connect function for undici. It fails with `address-forbidden`, `tls-untrusted`, `partner-unreachable` or
 *  `partner-timeout`. Sessions are never resumed: a resumed handshake shows no certificate to compare. */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const contextFor = rememberContext(options.authorities)
  return (request, callback) => void hand(open(request, options, contextFor), callback)
}

async function hand(opening: Promise<TLSSocket>, callback: buildConnector.Callback): Promise<void> {
  let socket: TLSSocket
  try {
    socket = await opening
  } catch (error) {
    return callback(error as Error, null)
  }
  callback(null, socket)
}

async function open(
  request: buildConnector.Options,
  options: ConnectorOptions,
  contextFor: (certificate: TlsCertificate | undefined) => SecureContext,
): Promise<TLSSocket> {
  const target = readTarget(request, options.guard)
  const deadline = startDeadline(target, options.timeoutMs ?? 5000)
  try {
    const addresses = await deadline.race(allowedAddresses(target, options))
    const trust = options.trust()
    const socket = connect({
      ...target,
      ...peerChecks(trust),
      host: target.hostname,
      ...(isIP(target.hostname) === 0 ? { servername: target.hostname } : {}),
      lookup: pinnedLookup(addresses),
      secureContext: contextFor(options.clientCertificate?.()),
      ALPNProtocols: ['http/1.1'],
    })
    return await deadline.race(handshake(socket, target, trust), () => socket.destroy())
  } finally {
    deadline.clear()
  }
}

function readTarget(request: buildConnector.Options, guard: AddressGuard): Target {
  const hostname = request.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(request.port === '' ? 443 : request.port)
  if (request.protocol !== 'https:') throw forbidden(hostname, `\`${request.protocol}\` is not https`)
  if (!guard.allowsPort(port)) throw forbidden(hostname, `port ${port} of \`${hostname}\` may not be called`)
  return { hostname, port }
}

async function allowedAddresses(target: Target, options: ConnectorOptions): Promise<readonly ResolvedAddress[]> {
  const { hostname } = target
  const family = isIP(hostname)
  const found = family === 0 ? await resolve(hostname, options.lookup) : [{ address: hostname, family }]
  const allowed = found.filter(({ address }) => options.guard.allowsAddress(address))
  if (allowed.length === 0) throw forbidden(hostname, `\`${hostname}\` has no address that may be called`)
  return allowed
}

async function resolve(hostname: string, lookup: LookupAddresses = systemLookup): Promise<readonly ResolvedAddress[]> {
  try {
    return await lookup(hostname)
  } catch (cause) {
    throw new Problem('partner-unreachable', `the name \`${hostname}\` cannot be resolved`, { cause })
  }
}

function systemLookup(hostname: string): Promise<readonly ResolvedAddress[]> {
  return dnsLookup(hostname, { all: true })
}

/** INVARIANT: the addresses that passed the guard are the only ones that are connected to; the name is not resolved
 *  again, so an answer that changes in between (DNS rebinding) changes nothing. */
function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

function peerChecks(trust: PeerTrust): ConnectionOptions {
  // With pins the chain and the name mean nothing; `handshake` compares the key before a byte is sent.
  return 'fingerprints' in trust ? { rejectUnauthorized: false } : { rejectUnauthorized: true }
}

function handshake(socket: TLSSocket, target: Target, trust: PeerTrust): Promise<TLSSocket> {
  return new Promise((resolveSocket, reject) => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.on('error', (error) => reject(connectionProblem(error, target)))
    socket.once('close', () => reject(unreachable(target, undefined)))
    socket.once('secureConnect', () => {
      if (isTrusted(socket, trust)) return resolveSocket(socket)
      reject(new Problem('tls-untrusted', `\`${target.hostname}\` does not hold a TLS key that is trusted for it`))
      socket.destroy()
    })
  })
}

function isTrusted(socket: TLSSocket, trust: PeerTrust): boolean {
  if (!('fingerprints' in trust)) return socket.authorized
  const certificate = socket.getPeerX509Certificate()
  return certificate !== undefined && trust.fingerprints.includes(spkiFingerprint(certificate))
}

/** One context for as long as the client certificate stays the same: building one costs more than a handshake. */
function rememberContext(authorities: readonly string[] = []): (certificate?: TlsCertificate) => SecureContext {
  let known: { cert: string | undefined; context: SecureContext } | undefined
  return (certificate) => {
    if (known !== undefined && known.cert === certificate?.cert) return known.context
    const ca = authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...authorities] }
    const context = createSecureContext({ ...certificate, ...ca, minVersion: 'TLSv1.3' })
    known = { cert: certificate?.cert, context }
    return context
  }
}

function startDeadline(target: Target, timeoutMs: number) {
  let expire: (error: Problem) => void = () => {}
  const expired = new Promise<never>((_, reject) => (expire = reject))
  expired.catch(() => {})
  const timer = setTimeout(() => {
    expire(new Problem('partner-timeout', `\`${target.hostname}\` did not answer within ${timeoutMs} ms`))
  }, timeoutMs)
  return {
    race: async <T>(work: Promise<T>, abandon: () => void = () => {}): Promise<T> => {
      work.catch(() => {})
      expired.catch(abandon)
      return Promise.race([work, expired])
    },
    clear: () => clearTimeout(timer),
  }
}

const certificateErrors = /CERT|SELF_SIGNED|UNABLE_TO|CRL|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH/

function connectionProblem(error: Error & { code?: string }, target: Target): Problem {
  if (error.code?.startsWith('ERR_SSL') !== true && certificateErrors.test(error.code ?? '')) {
    const detail = `no public authority vouches for the certificate of \`${target.hostname}\``
    return new Problem('tls-untrusted', detail, { cause: error })
  }
  return unreachable(target, error)
}

function unreachable({ hostname, port }: Target, cause: unknown): Problem {
  return new Problem('partner-unreachable', `no TLS 1.3 connection to \`${hostname}\` port ${port}`, { cause })
}

function forbidden(hostname: string, detail: string): Problem {
  return new Problem('address-forbidden', detail, { members: { host: hostname } })
}
