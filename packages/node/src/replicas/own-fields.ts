/** `/~replicas/{id}/fields` of the local listener: what the organisation itself adds to a replica. It is kept beside what
 *  was received, sealed alike, and is never sent to the partner. */
import type { IncomingMessage } from 'node:http'
import { parseJson } from '@comity/core/bytes/json'
import { Problem } from '@comity/core/problems'
import { readBody } from '../http/body.ts'
import { emptyReply, type Reply } from '../http/problem-response.ts'
import type { ReceivedRequest } from '../http/received-request.ts'
import { keyUnlessErased, openOwn } from './kept-content.ts'
import type { Replica } from './replica.ts'
import type { ReplicasParts } from './replica-ports.ts'

const maxOwnBytes = 256 * 1024
const shape = /^\/~replicas\/([A-Za-z0-9_-]{43})\/fields$/

/** True for the paths that are the node's own. */
export function isOwnPath(path: string): boolean {
  return path.startsWith('/~replicas/')
}

function unknown(): Problem {
  return new Problem('replica-unknown', 'this node keeps no such replica')
}

/** A replica whose consent has ended is being removed. */
async function findKept(parts: ReplicasParts, path: string): Promise<Replica> {
  const id = shape.exec(path)?.[1]
  if (id === undefined) throw new Problem('not-found', 'call `/~replicas/{id}/fields`')
  const replica = await parts.store.find(id)
  if (replica === undefined) throw unknown()
  const nowMs = parts.clock.now()
  const held = replica.held === undefined ? undefined : await parts.held.find(replica.held)
  const isOver = replica.untilMs !== undefined && replica.untilMs <= nowMs
  const mayStand = replica.held === undefined || held?.state === 'active' || held?.state === 'paused'
  if (isOver || !mayStand) throw unknown()
  return replica
}

/** Answers `GET`, `PUT` and `DELETE`. Throws `replica-unknown`, `malformed-request`, `body-too-large`. */
export async function answerOwnFields(
  parts: ReplicasParts,
  request: ReceivedRequest,
  message: IncomingMessage,
): Promise<Reply> {
  const replica = await findKept(parts, request.path)
  switch (request.method) {
    case 'GET':
      return readOwn(parts, replica)
    case 'PUT':
      await keepOwn(parts, replica, await readBody(message, request.headers, { bytes: maxOwnBytes }))
      return emptyReply(204)
    case 'DELETE':
      await parts.execute(parts.store.setOwn(replica.id, undefined))
      return emptyReply(204)
    default:
      throw new Problem('method-not-allowed', 'own fields are read, put and deleted', {
        members: { allow: ['GET', 'PUT', 'DELETE'] },
      })
  }
}

async function readOwn(parts: ReplicasParts, replica: Replica): Promise<Reply> {
  const own = await openOwn(parts.vault, replica)
  if (own === undefined) throw new Problem('not-found', 'this replica has no own fields')
  const headers = ['content-type', 'application/json', 'cache-control', 'no-store']
  return { status: 200, headers, body: Buffer.from(own) }
}

async function keepOwn(parts: ReplicasParts, replica: Replica, body: Uint8Array): Promise<void> {
  const text = objectText(body)
  const key = await keyUnlessErased(parts.vault, replica.subject)
  if (key === undefined) throw unknown()
  const [changed = 0] = await parts.execute(parts.store.setOwn(replica.id, key.seal(text)))
  if (changed === 0) throw unknown()
}

/** Kept as it was written, so that numbers keep their digits. */
function objectText(body: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    const value: unknown = parseJson(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text
  } catch (cause) {
    throw new Problem('malformed-request', 'own fields are a JSON object with distinct members', { cause })
  }
  throw new Problem('malformed-request', 'own fields are a JSON object')
}
