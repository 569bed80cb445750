/** The admin listener: for the operator and the operator's tools on the same machine, each call with the token that
 *  `comity init` wrote. `/metrics`, the probes and
 *  the reference (`/openapi.json`, `/docs`) need none and tell nothing of anybody. */
import type { IncomingMessage } from 'node:http'
import { valueWithoutKeySecrets, withoutKeySecrets } from '@comity/core/api-keys/named-key'
import { Problem, type ProblemMembers } from '@comity/core/problems'
import { z } from 'zod'
import { requireLocalCaller } from '../http/local-caller.ts'
import { asProblem, jsonReply, problemReply, textReply, type Reply } from '../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../http/received-request.ts'
import { createTurns, type Turns } from '../storage/turns.ts'
import { callRoute } from './call-route.ts'
import { asDeclared } from './declared-answer.ts'
import { parseInput, readJsonBody, readQuery } from './input.ts'
import type { AdminParts } from './ports.ts'
import { createRepeats, type Repeats } from './repeats.ts'
import type { AdminRoute } from './route.ts'
import { findRoute } from './routing.ts'
import { createTokenGate } from './token-gate.ts'

const defaultBodyBytes = 1024 * 1024

/** Handles one request of the admin listener. Throws nothing: an error becomes the reply. */
export function createAdminHandler(parts: AdminParts): (message: IncomingMessage) => Promise<Reply> {
  const { repeatsSecret: secret, clock, randomBytes } = parts
  const handler: AdminHandler = {
    parts,
    loadRoutes: loadRoutes(parts),
    requireToken: createTokenGate(parts),
    turns: createTurns(),
    repeats: createRepeats({ store: parts.repeats, clock, randomBytes, secret }),
  }
  return async (message) => {
    const requestId = parts.newId()
    try {
      return await answer(handler, message)
    } catch (error) {
      const problem = withoutKeys(asProblem(error))
      if (problem.code === 'internal-error') parts.onInternalError(problem.cause ?? error, requestId)
      return problemReply(problem, requestId)
    }
  }
}

/** Somebody in a hurry gives a whole API key where its id belongs: nothing repeats it. */
function withoutKeys({ code, message, members, cause }: Problem): Problem {
  const told = valueWithoutKeySecrets(members) as ProblemMembers
  return new Problem(code, withoutKeySecrets(message), { cause, members: told })
}

/** The table is made with the first call, since its schemas take longer to make than a node has to start. */
function loadRoutes(parts: AdminParts): () => Promise<readonly AdminRoute[]> {
  let routes: Promise<readonly AdminRoute[]> | undefined
  return () => (routes ??= import('./admin-routes.ts').then(({ adminRoutes }) => adminRoutes(parts)))
}

interface AdminHandler {
  readonly parts: AdminParts
  readonly loadRoutes: () => Promise<readonly AdminRoute[]>
  readonly requireToken: (request: ReceivedRequest) => void
  readonly turns: Turns
  readonly repeats: Repeats
}

async function answer(handler: AdminHandler, message: IncomingMessage): Promise<Reply> {
  const { parts } = handler
  const request = readRequest(message, false)
  const open = await openReply(handler, request)
  if (open !== undefined) return open
  requireLocalCaller(request, parts.trustedAuthorities)
  handler.requireToken(request)
  const routes = await handler.loadRoutes()
  const { route, path } = findRoute(routes, request.method, request.path)
  try {
    const query = readQuery(request.query)
    const body = await bodyFor(route, message, request)
    return await callRoute(handler, { route, routes, request, path, query, body })
  } catch (error) {
    const problem = asDeclared(route, error)
    if (problem !== error && problem.code === 'answer-unusable') parts.onUnusableAnswer(error)
    throw problem
  }
}

/** Methods with a body. */
const withBody = new Set(['POST', 'PUT', 'PATCH'])

/** The members of bodies that hold people's own words, at the top. */
export const wordsOfPeople: ReadonlySet<string> = new Set([
  'ground',
  'label',
  'labels',
  'message',
  'name',
  'note',
  'owner',
  'reason',
  'title',
])

/** Words go into the log and out by webhooks: a whole API key that somebody wrote there does not. */
function withoutKeysInWords(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const told = Object.entries(body).map(([name, value]) => [
    name,
    wordsOfPeople.has(name) ? valueWithoutKeySecrets(value) : value,
  ])
  return Object.fromEntries(told)
}

/** A method that takes no members may be called without a body, and with an empty object; so may one that needs none. */
async function bodyFor(route: AdminRoute, message: IncomingMessage, request: ReceivedRequest): Promise<unknown> {
  if (!withBody.has(route.method)) return undefined
  const isEmpty = (request.header('content-length') ?? '0') === '0' && request.header('transfer-encoding') === undefined
  if (isEmpty && route.body === undefined) return undefined
  if (isEmpty && route.mayBeEmpty === true) return {}
  const body = await readJsonBody(message, request, route.maxBodyBytes ?? defaultBodyBytes)
  if (route.body === undefined) return parseInput(noMembers, body)
  return withoutKeysInWords(body)
}

const noMembers = z.strictObject({})

/** Address -> what is answered there without the token. */
const openAddresses = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'])

/** What needs no token. Only probes are answered under any name: an orchestrator asks by the address of the moment. */
async function openReply({ parts, loadRoutes: routes }: AdminHandler, request: ReceivedRequest) {
  const { path, method } = request
  if (!openAddresses.has(path)) return undefined
  if (method !== 'GET' && method !== 'HEAD')
    throw new Problem('method-not-allowed', 'this address is read', { members: { allow: ['GET', 'HEAD'] } })
  if (path === '/healthz') return textReply(200, 'ok\n')
  if (path === '/readyz') return parts.isReady() ? textReply(200, 'ready\n') : textReply(503, 'not ready\n')
  requireLocalCaller(request, parts.trustedAuthorities)
  if (path === '/metrics') return textReply(200, await parts.metrics.text(), parts.metrics.contentType)
  const { openApiOf } = await import('./openapi.ts')
  const document = openApiOf(await routes())
  if (path === '/openapi.json') return jsonReply(200, document)
  const { referencePage } = await import('./reference-page.ts')
  return referencePage(document)
}
