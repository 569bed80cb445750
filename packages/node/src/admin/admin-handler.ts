/** The admin listener: for the operator and the operator's tools on the same machine, each call with the token that
 *  `comity init` wrote. `/metrics`, `/healthz` and `/readyz` need none and tell nothing of anybody. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { requireLocalCaller } from '../http/local-caller.ts'
import { asProblem, emptyReply, jsonReply, problemReply, textReply, type Reply } from '../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../http/received-request.ts'
import { parseInput, readJsonBody, readQuery } from './input.ts'
import type { AdminParts } from './ports.ts'
import type { AdminRoute } from './route.ts'
import { findRoute } from './routing.ts'

const defaultBodyBytes = 1024 * 1024
const notStored = ['cache-control', 'no-store']

/** Handles one request of the admin listener. Throws nothing: an error becomes the reply. */
export function createAdminHandler(parts: AdminParts): (message: IncomingMessage) => Promise<Reply> {
  const routes = loadRoutes(parts)
  const requireToken = tokenCheck(parts.token)
  return async (message) => {
    const requestId = parts.newId()
    try {
      return await answer({ parts, loadRoutes: routes, requireToken }, message)
    } catch (error) {
      const problem = asProblem(error)
      if (problem.code === 'internal-error') parts.onInternalError(problem.cause ?? error, requestId)
      return problemReply(problem, requestId, problem.code === 'unauthorized' ? ['www-authenticate', 'Bearer'] : [])
    }
  }
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
}

async function answer(
  { parts, loadRoutes: routes, requireToken }: AdminHandler,
  message: IncomingMessage,
): Promise<Reply> {
  const request = readRequest(message, false)
  const open = await openReply(parts, request)
  if (open !== undefined) return open
  requireLocalCaller(request, parts.trustedAuthorities)
  requireToken(request)
  const { route, path } = findRoute(await routes(), request.method, request.path)
  const query = readQuery(request.query)
  const body = await bodyFor(route, message, request)
  const value = await route.answer({ path, query, body })
  return route.status === 204 ? emptyReply(204, notStored) : jsonReply(route.status, value, notStored)
}

/** Methods with a body. */
const withBody = new Set(['POST', 'PUT', 'PATCH'])

/** A method that takes no members may be called without a body, and with an empty object. */
async function bodyFor(route: AdminRoute, message: IncomingMessage, request: ReceivedRequest): Promise<unknown> {
  if (!withBody.has(route.method)) return undefined
  const isEmpty = (request.header('content-length') ?? '0') === '0' && request.header('transfer-encoding') === undefined
  if (isEmpty && route.body === undefined) return undefined
  const body = await readJsonBody(message, request, route.maxBodyBytes ?? defaultBodyBytes)
  return route.body === undefined ? parseInput(noMembers, body) : body
}

const noMembers = z.strictObject({})

/** What needs no token. Only probes are answered under any name: an orchestrator asks by the address of the moment. */
async function openReply(parts: AdminParts, request: ReceivedRequest): Promise<Reply | undefined> {
  const { path, method } = request
  if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') return undefined
  if (method !== 'GET' && method !== 'HEAD')
    throw new Problem('method-not-allowed', 'this address is read', { members: { allow: ['GET', 'HEAD'] } })
  if (path === '/healthz') return textReply(200, 'ok\n')
  if (path === '/readyz') return parts.isReady() ? textReply(200, 'ready\n') : textReply(503, 'not ready\n')
  requireLocalCaller(request, parts.trustedAuthorities)
  return textReply(200, await parts.metrics.text(), parts.metrics.contentType)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
function tokenCheck(token: string): (request: ReceivedRequest) => void {
  const expected = digest(token)
  return (request) => {
    const [, given = ''] = /^Bearer ([!-~]+)$/i.exec(request.header('authorization') ?? '') ?? []
    if (token === '' || !timingSafeEqual(digest(given), expected))
      throw new Problem('unauthorized', 'the admin token is missing or wrong')
  }
}
