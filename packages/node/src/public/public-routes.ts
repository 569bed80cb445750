/** The public listener: every address of docs/protocols/wire-profile.md, each led to the part that answers it. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { readBody, type BodyRoom } from '../http/body.ts'
import { asProblem, emptyReply, jsonReply, problemReply, textReply, type Reply } from '../http/problem-response.ts'
import { readRequest } from '../http/received-request.ts'

export interface PublicParts {
  /** Exchanges, below `/x/`. */
  readonly exchange: (message: IncomingMessage) => Promise<Reply>
  /** Several exchanges in one, at `/composites`. */
  readonly composite: (message: IncomingMessage) => Promise<Reply>
  /** Proofs of exchanges, below `/receipts/`. */
  readonly proof: (message: IncomingMessage) => Promise<Reply>
  /** Requests for consent and what follows from them, below `/consents/`. */
  readonly consents: (message: IncomingMessage) => Promise<Reply>
  /** The successor of an API key, at `/keys/renewal`. */
  readonly renewal: (message: IncomingMessage) => Promise<Reply>
  /** Requests for a higher quota, at `/limits/requests`. */
  readonly quotas: (message: IncomingMessage) => Promise<Reply>
  /** Answers below `/status/`, or undefined when there is no such list. */
  readonly status: (path: string) => Promise<Reply | undefined>
  /** The participant's DID document as JSON. */
  readonly didDocument: () => unknown
  /** Judges a Security Event Token (RFC 8935). */
  readonly receiveEvent: (token: string) => Promise<EventReply>
  /** Answers below `/log/`, or undefined when there is no such tile. */
  readonly log: (path: string) => Promise<Reply | undefined>
  /** True while the node takes calls. */
  readonly isReady: () => boolean
  /** The gate by address; throws `rate-limited`. */
  readonly admit: (remoteAddress: string) => void
  /** Shared with the bodies of exchanges. */
  readonly bodyRoom: BodyRoom
  readonly newId: () => string
}

/** RFC 8935 §2: 202 without content, or 400 with an error. */
export type EventReply =
  { readonly accepted: true } | { readonly accepted: false; readonly err: string; readonly description: string }

const eventBytes = 64 * 1024

async function receiveEvent(parts: PublicParts, message: IncomingMessage): Promise<Reply> {
  const request = readRequest(message, true)
  parts.admit(request.remoteAddress)
  if (request.header('content-type')?.split(';')[0]?.trim() !== 'application/secevent+jwt') {
    throw new Problem('unsupported-media-type', 'send `application/secevent+jwt`', {
      members: { accepted: ['application/secevent+jwt'] },
    })
  }
  const body = await readBody(message, request.headers, { bytes: eventBytes, room: parts.bodyRoom })
  const reply = await parts.receiveEvent(body.toString('utf8'))
  if (reply.accepted) return emptyReply(202)
  return jsonReply(400, { err: reply.err, description: reply.description })
}

async function logRoute(parts: PublicParts, message: IncomingMessage, path: string): Promise<Reply> {
  parts.admit(message.socket.remoteAddress ?? '')
  const reply = await parts.log(path)
  if (reply === undefined) throw new Problem('not-found', 'the log has no such tile')
  return reply
}

async function statusRoute(parts: PublicParts, message: IncomingMessage, path: string): Promise<Reply> {
  parts.admit(message.socket.remoteAddress ?? '')
  const reply = await parts.status(path)
  if (reply === undefined) throw new Problem('not-found', 'there is no such status list')
  return reply
}

function readyReply(parts: PublicParts): Reply {
  return parts.isReady() ? textReply(200, 'ready\n') : textReply(503, 'not ready\n')
}

/** Routes that only read, by exact path. */
function readOnly(parts: PublicParts, path: string): Reply | undefined {
  if (path === '/healthz') return textReply(200, 'ok\n')
  if (path === '/readyz') return readyReply(parts)
  if (path === '/.well-known/did.json')
    return jsonReply(200, parts.didDocument(), ['cache-control', 'public, max-age=30'])
  return undefined
}

function pathOf(message: IncomingMessage): string {
  const target = message.url ?? '/'
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** What is only read, by the folder. */
const readFolders = ['/log/', '/receipts/', '/status/']

async function route(parts: PublicParts, message: IncomingMessage): Promise<Reply> {
  const path = pathOf(message)
  if (path.startsWith('/x/')) return parts.exchange(message)
  if (path === '/composites') return parts.composite(message)
  if (path.startsWith('/consents/')) return parts.consents(message)
  if (path === '/keys/renewal') return parts.renewal(message)
  if (path.startsWith('/limits/')) return parts.quotas(message)
  if (path === '/events') {
    if (message.method === 'POST') return receiveEvent(parts, message)
    throw new Problem('method-not-allowed', 'events are posted', { members: { allow: ['POST'] } })
  }
  // What follows reads nothing of the head, which must be readable all the same.
  readRequest(message, true)
  const known = readFolders.some((folder) => path.startsWith(folder)) || readOnly(parts, path) !== undefined
  if (!known) throw new Problem('not-found', 'the node has no such address')
  if (!isRead(message.method))
    throw new Problem('method-not-allowed', 'this address is read', { members: { allow: ['GET', 'HEAD'] } })
  if (path.startsWith('/log/')) return logRoute(parts, message, path)
  if (path.startsWith('/receipts/')) return parts.proof(message)
  if (path.startsWith('/status/')) return statusRoute(parts, message, path)
  return readOnly(parts, path) as Reply
}

/** Handles one request of the public listener. */
export function createPublicHandler(parts: PublicParts): (message: IncomingMessage) => Promise<Reply> {
  return async (message) => {
    try {
      return await route(parts, message)
    } catch (error) {
      return problemReply(asProblem(error), parts.newId())
    }
  }
}
