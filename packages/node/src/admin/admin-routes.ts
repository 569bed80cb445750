/** The admin listener: for the operator and the operator's tools on the same machine, each call with the token that
 *  `comity init` wrote. `/metrics`, `/healthz` and `/readyz` need none and tell nothing of anybody. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { requireLocalCaller } from '../http/local-caller.ts'
import { asProblem, emptyReply, jsonReply, problemReply, textReply, type Reply } from '../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../http/received-request.ts'
import { agreementRoutes } from './agreement-routes.ts'
import { consentRoutes } from './consent-routes.ts'
import { dutyRoutes } from './duty-routes.ts'
import { evidenceRoutes } from './evidence-routes.ts'
import { heldConsentRoutes } from './held-consent-routes.ts'
import { readJsonBody, readQuery } from './input.ts'
import { keyRoutes } from './key-routes.ts'
import { partnerRoutes } from './partner-routes.ts'
import type { AdminParts } from './ports.ts'
import { policyRoutes } from './policy-routes.ts'
import { productRoutes } from './product-routes.ts'
import { relationshipRoutes } from './relationship-routes.ts'
import { replicaRoutes } from './replica-routes.ts'
import { rightsRoutes } from './rights-routes.ts'
import { findRoute, type AdminRoute } from './routing.ts'
import { subjectRoutes } from './subject-routes.ts'
import { webhookRoutes } from './webhook-routes.ts'

const defaultBodyBytes = 1024 * 1024
const notStored = ['cache-control', 'no-store']

/** Every route that needs the token. */
export function adminRoutes(parts: AdminParts): readonly AdminRoute[] {
  return [
    { method: 'GET', path: '/v1/status', answer: () => parts.status() },
    ...partnerRoutes(parts),
    ...productRoutes(parts),
    ...agreementRoutes(parts),
    ...keyRoutes(parts),
    ...evidenceRoutes(parts),
    ...consentRoutes(parts.consent),
    ...heldConsentRoutes(parts.consent),
    ...rightsRoutes(parts.consent),
    ...dutyRoutes(parts.consent),
    ...policyRoutes(parts.policy),
    ...relationshipRoutes(parts.policy),
    ...replicaRoutes(parts),
    ...subjectRoutes(parts),
    ...webhookRoutes(parts.consent),
  ]
}

/** Handles one request of the admin listener. Throws nothing: an error becomes the reply. */
export function createAdminHandler(parts: AdminParts): (message: IncomingMessage) => Promise<Reply> {
  const routes = adminRoutes(parts)
  const requireToken = tokenCheck(parts.token)
  return async (message) => {
    const requestId = parts.newId()
    try {
      return await answer({ parts, routes, requireToken }, message)
    } catch (error) {
      const problem = asProblem(error)
      if (problem.code === 'internal-error') parts.onInternalError(problem.cause ?? error, requestId)
      return problemReply(problem, requestId, problem.code === 'unauthorized' ? ['www-authenticate', 'Bearer'] : [])
    }
  }
}

interface AdminHandler {
  readonly parts: AdminParts
  readonly routes: readonly AdminRoute[]
  readonly requireToken: (request: ReceivedRequest) => void
}

async function answer({ parts, routes, requireToken }: AdminHandler, message: IncomingMessage): Promise<Reply> {
  const request = readRequest(message, false)
  const open = await openReply(parts, request)
  if (open !== undefined) return open
  requireLocalCaller(request, parts.trustedAuthorities)
  requireToken(request)
  const { route, path } = findRoute(routes, request.method, request.path)
  const query = readQuery(request.query)
  const maxBytes = route.maxBodyBytes ?? defaultBodyBytes
  const body = route.method === 'POST' ? await readJsonBody(message, request, maxBytes) : undefined
  const value = await route.answer({ path, query, body })
  return route.status === 204 ? emptyReply(204, notStored) : jsonReply(route.status ?? 200, value, notStored)
}

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
