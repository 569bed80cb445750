/** Outbound step 1 for applications with API keys of their own node: what they present is judged, also where nothing must
 *  be presented. The key goes no further. */
import type { IncomingMessage } from 'node:http'
import type { Environment } from '@comity/core/api-keys/api-key'
import { decideKeyScope } from '@comity/core/api-keys/key-scope'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { requireLocalCaller } from '../../http/local-caller.ts'
import { asProblem, problemReply, type Reply } from '../../http/problem-response.ts'
import { readRequest, type ReceivedRequest } from '../../http/received-request.ts'
import { withKeyLife } from '../key-life-fields.ts'
import type { ClientOfGateway, KeysPort } from '../key-port.ts'
import { answerRenewal } from '../key-renewal.ts'
import { mayHoldKey, presentedKey, refuseKeyInAddress, refuseRepeated, secretOf, withoutKey } from '../presented-key.ts'
import type { RefusalTally } from '../refusal-tally.ts'
import type { ObserverPort, World } from '../ports.ts'
import { parseOutboundRoute } from './outbound-route.ts'

export interface LocalGateParts {
  readonly world: Pick<World, 'clock'>
  readonly keys: KeysPort
  /** Of this node. */
  readonly environment: Environment
  /** Whether an application must present a key. */
  readonly authentication: 'open' | 'keys'
  readonly trustedAuthorities: ReadonlySet<string>
  /** Filled with whose calls these are. */
  readonly clients: WeakMap<IncomingMessage, ClientOfGateway>
  readonly tally: Pick<RefusalTally, 'count'>
  /** How often an address may present what is no key, or one that is not taken, by the id that it claims. */
  readonly failures: {
    /** Seconds until it may fail once more; 0 while it may. */
    spentFor(remoteAddress: string, claimedKey: string, nowMs: number): number
    failed(remoteAddress: string, claimedKey: string, nowMs: number): void
  }
  readonly observer: Pick<ObserverPort, 'internalError'> & { denied(code: ProblemCode): void }
  readonly newId: () => string
}

type Handle = (message: IncomingMessage) => Promise<Reply>

/** Where applications get the next key. No partner can be called so. */
const renewalPath = '/~keys/renewal'

/** The listener's handler, behind the gate. Throws nothing. */
export function guardLocal(parts: LocalGateParts, handOn: Handle): Handle {
  const { authentication, tally, observer, newId } = parts
  return async (message) => {
    if (authentication === 'open' && !isConcerned(message)) return handOn(message)
    try {
      return await admit(parts, message, handOn)
    } catch (error) {
      const problem = limited(parts, message, asProblem(error))
      const id = newId()
      if (problem.code === 'internal-error') observer.internalError(problem.cause ?? error, id)
      tally.count(problem.code, message.socket.remoteAddress ?? '')
      observer.denied(problem.code)
      return problemReply(problem, id)
    }
  }
}

/** Who fails to show a key again and again is told to wait, and no more. A key that is taken is taken all the same: its
 *  secret cannot be guessed, and nobody keeps others out by failing. */
function limited({ failures, world }: LocalGateParts, { socket, headers }: IncomingMessage, problem: Problem): Problem {
  if (!failedToShow.test(problem.code)) return problem
  const address = socket.remoteAddress ?? ''
  const [claimed = ''] = /cmty_\w{4}_\w{8}/.exec(`${headers.authorization ?? ''} ${String(headers['x-api-key'])}`) ?? []
  const nowMs = world.clock.now()
  const retryAfterSeconds = failures.spentFor(address, claimed, nowMs)
  failures.failed(address, claimed, nowMs)
  if (retryAfterSeconds === 0) return problem
  return new Problem('rate-limited', 'too many API keys were refused', { members: { retryAfterSeconds } })
}

/** Not that none was presented, nor that a good one does not reach so far or has no successor. */
const failedToShow = /^(?:key-(?!required$|scope$|not-rotated$|rotation-refused$)|credential-)/

/** Quickly false for most calls: they present nothing that could be a key. */
function isConcerned({ url = '', headers }: IncomingMessage): boolean {
  if (url.includes('%') || /cmty_|^\/~keys\//i.test(url)) return true
  const { authorization = '', 'x-api-key': named = '' } = headers
  return mayHoldKey(authorization) || mayHoldKey(String(named))
}

async function admit(parts: LocalGateParts, message: IncomingMessage, handOn: Handle): Promise<Reply> {
  const request = readRequest(message, false)
  requireLocalCaller(request, parts.trustedAuthorities)
  refuseKeyInAddress(request)
  const presented = presentedKey(request)
  const isRenewal = request.path === renewalPath
  if (presented === undefined || (parts.authentication === 'open' && !presented.startsWith('cmty_'))) {
    if (isRenewal || parts.authentication === 'keys') throw new Problem('key-required', 'no API key was presented')
    return handOn(message)
  }
  const client = judge(parts, { request, presented, isRenewal })
  if (isRenewal) return answerRenewal({ method: request.method, presented }, client, parts.keys)
  parts.clients.set(message, client)
  const reply = await handOn(message)
  return { ...reply, headers: withKeyLife(reply.headers, parts.keys.lifeFields(client.keyId, renewalPath)) }
}

interface Presented {
  readonly request: ReceivedRequest
  readonly presented: string
  readonly isRenewal: boolean
}

function judge(
  { world, keys, ...parts }: LocalGateParts,
  { request, presented, isRenewal }: Presented,
): ClientOfGateway {
  const own = presented.startsWith('cmty_test_') ? 'test' : 'live'
  const at = { address: request.remoteAddress, environment: isRenewal ? own : parts.environment }
  const nowMs = world.clock.now()
  const client = keys.authenticate(presented, at, nowMs)
  refuseRepeated(withoutKey(request), secretOf(presented))
  if (!isRenewal) requireScope(client, request.path)
  keys.used(client.keyId, at, nowMs)
  return client
}

/** Only what this node knows before it asks: products. Which operation a path is, and which fields there are, is known to
 *  the holder alone. */
function requireScope({ participant, scope }: ClientOfGateway, path: string): void {
  if (participant !== undefined) throw outside('the API key is of a service of a partner, not of an own application')
  const { products, operations, fields } = scope
  if (operations !== undefined || fields !== undefined) {
    throw outside('the scope of the key names operations or fields, which only their holder can judge')
  }
  if (products === undefined) return
  if (path.startsWith('/~')) throw outside('a key for some products calls them one by one')
  const { partner, product } = parseOutboundRoute(path)
  const isCovered = [product, `${partner}/${product}`].some(
    (name) => decideKeyScope({ products }, { product: name, operation: '', hasLabels: false }).allowed,
  )
  if (!isCovered) throw outside('the scope of the key does not cover this product')
}

function outside(detail: string): Problem {
  return new Problem('key-scope', detail)
}
