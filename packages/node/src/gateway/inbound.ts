/** Inbound: a partner's call to one of our products. The list of steps is the order of checks; nothing else decides it. */
import type { Environment } from '@comity/core/api-keys/api-key'
import type { Tracer } from '../telemetry/traces.ts'
import type { IncomingMessage } from 'node:http'
import type { BodyLimits } from '../http/body.ts'
import { addressInPath } from '@comity/core/exchange/product-address'
import type { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../http/problem-response.ts'
import { readRequest, type ClientKeyOf } from '../http/received-request.ts'
import { outcomeOf } from './answered-exchange.ts'
import { beginStream, streamingOf, type InboundStreamOptions } from './inbound-stream.ts'
import { countedInbound } from './counted-call.ts'
import { openCall, type InboundCall, type Step } from './inbound-call.ts'
import type { IntentStore } from './intent-store.ts'
import { participantOf } from './calling-party.ts'
import type { KeysPort } from './key-port.ts'
import type { NonceStore } from './nonce-store.ts'
import type { LimitsPort } from './limit-port.ts'
import type {
  AgreementsPort,
  AuditLogPort,
  ConsentsPort,
  IdentityPort,
  ObserverPort,
  PartnerOfGateway,
  ProductsPort,
  World,
} from './ports.ts'
import type { PoliciesPort } from './policy-port.ts'
import type { ExchangeStore } from './exchange-store.ts'
import type { ExchangeRecorder } from './record-exchange.ts'
import type { ReferenceStore } from './references/reference-store.ts'
import type { RefusalTally } from './refusal-tally.ts'
import type { SealingPort } from './sealing-port.ts'
import { admit } from './steps/admit.ts'
import { agreement } from './steps/agreement.ts'
import { authenticate } from './steps/authenticate.ts'
import { confirmConsent, consent } from './steps/consent.ts'
import { forward } from './steps/forward.ts'
import { freshness } from './steps/freshness.ts'
import { keyFits } from './steps/key-fits.ts'
import { keyScope } from './steps/key-scope.ts'
import { limit } from './steps/limit.ts'
import { keepPrivate } from './steps/keep-private.ts'
import { limitCovered } from './steps/limit-covered.ts'
import { match } from './steps/match.ts'
import { minimise } from './steps/minimise.ts'
import { policy } from './steps/policy.ts'
import { recordIntent } from './steps/record-intent.ts'
import { recordOutcome } from './steps/record-outcome.ts'
import { rememberRequest } from './steps/remember-request.ts'
import { refer } from './steps/refer.ts'
import { revalidate } from './steps/revalidate.ts'
import { resolveReference } from './steps/resolve-reference.ts'
import { unseal } from './steps/unseal.ts'

export interface InboundParts {
  readonly world: World
  readonly identity: IdentityPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
  readonly products: ProductsPort
  readonly agreements: AgreementsPort
  readonly consents: ConsentsPort
  readonly policies: PoliciesPort
  readonly sealing: SealingPort
  /** A keyed hash of a text, other towards every participant. */
  readonly keyedHash: (text: string, did: string) => string
  readonly limits: LimitsPort
  readonly nonces: NonceStore
  readonly keys: KeysPort
  readonly intents: IntentStore
  readonly references: ReferenceStore
  /** Exchange ids of intents whose calls ended while the storage took no record of how. */
  readonly unsettled: Set<string>
  readonly underWay: UnderWay
  readonly auditLog: AuditLogPort
  readonly recorder: ExchangeRecorder
  readonly exchanges: Pick<ExchangeStore, 'rememberSigned'>
  readonly tally: RefusalTally
  readonly observer: ObserverPort
  readonly tracer: Pick<Tracer, 'startExchange'>
  readonly clientKeyOf: ClientKeyOf
  readonly newId: () => string
  readonly options: InboundOptions
}

export interface InboundOptions {
  readonly authorities: ReadonlySet<string>
  /** Of the public listener, `https://…`. */
  readonly origin: string
  readonly bodies: Required<BodyLimits>
  readonly skewSeconds: number
  /** Of what has none of its own: whether data here is real; `any` where keys of both are taken. */
  readonly environment: Environment | 'any'
}

/** The checks of who is asking, in order; the same for products and composites, which are recorded, as for the node's own
 *  addresses. */
export function callerSteps(parts: InboundParts): Step[] {
  const { world, identity, limits, nonces, keys, options } = parts
  const { environment, origin } = options
  const renewal = `${origin}/keys/renewal`
  const isPartner = (did: string) => parts.partnerOf(did) !== undefined
  return [
    admit({ world, limits, bodies: options.bodies, authorities: options.authorities, isPartner }),
    authenticate({ world, identity, limits, isPartner, keys, environment, renewal }),
    freshness({ world, nonces, keys, skewSeconds: options.skewSeconds, partnerOf: parts.partnerOf }),
  ]
}

/** The same for the node's own addresses, whose calls are in no log. */
export function knownCallerSteps(parts: InboundParts): Step[] {
  return [...callerSteps(parts), rememberRequest(parts.exchanges)]
}

/** What is under way in this process, by name. */
export interface UnderWay {
  /** Unsafe calls with an idempotency key. */
  readonly running: Set<string>
  /** References that are being resolved. */
  readonly resolving: Set<string>
}

/** Whether a call is covered; the same for a call by itself and for a part of a composite. */
export function coverSteps(parts: InboundParts): Step[] {
  const { world, identity, agreements, consents, references, partnerOf, underWay } = parts
  const { origin } = parts.options
  return [
    resolveReference({ world, references, resolving: underWay.resolving }),
    match({ world, identity, partnerOf, successorOf: (product) => parts.products.successorOf(product), origin }),
    agreement({ world, did: identity.did, agreements, consents, partnerOf }),
    consent({ world, consents, partnerOf }),
    keyScope,
    limitCovered({ world }),
  ]
}

/** What a call that is covered gets. */
export function answerSteps(parts: InboundParts): Step[] {
  const { world, policies, auditLog, intents, partnerOf, options, underWay } = parts
  return [
    policy({ world, policies, partnerOf }),
    recordIntent({ auditLog, intents, running: underWay.running }),
    refer({ world, origin: options.origin }),
    forward({ world }),
    confirmConsent({ world }),
    minimise({ keyedHash: parts.keyedHash }),
    keepPrivate,
    revalidate({ keyedHash: parts.keyedHash }),
  ]
}

function exchangeSteps(parts: InboundParts): Step[] {
  const { world, limits, partnerOf } = parts
  return [
    ...callerSteps(parts),
    keyFits,
    limit({ world, limits, partnerOf }),
    unseal({ sealing: parts.sealing }),
    ...coverSteps(parts),
    ...answerSteps(parts),
  ]
}

/** Runs the steps in order until one throws. */
export async function runSteps(steps: readonly Step[], call: InboundCall): Promise<void> {
  for (const step of steps) {
    const pending = step.run(call)
    if (pending !== undefined) await pending
  }
}

/** The caller is not told what is wrong with an answer of the API: its operator has to correct it. */
function reasonOf({ code, message, cause }: Problem): string {
  return code === 'upstream-invalid' && cause instanceof Error ? cause.message : message
}

/** Tells of a call that has its answer. */
export function observeCall(parts: InboundParts, call: InboundCall, status: number): void {
  const { problem, id } = call
  if (problem?.code === 'internal-error') parts.observer.internalError(problem.cause ?? problem, id)
  const nowMs = parts.world.clock.now()
  const seen = {
    peer: participantOf(call),
    key: call.client?.keyId,
    product: call.product?.id,
    operation: call.operation?.operationId,
    status,
    outcome: outcomeOf(call),
    code: problem?.code,
  }
  const reason = seen.outcome === 'failed' ? problem && reasonOf(problem) : undefined
  const durationMs = Math.max(0, nowMs - call.receivedAtMs)
  parts.observer.exchange({ direction: 'inbound', id, ...seen, reason, durationMs, upstreamMs: call.upstreamMs })
  parts.observer.counted(countedInbound(call, parts.partnerOf))
  call.trace?.end({ exchangeId: id, ...seen }, nowMs)
}

/** Handles one request below `/x/`. */
export function createInbound(parts: InboundParts): (message: IncomingMessage) => Promise<Reply> {
  const steps = exchangeSteps(parts)
  const settle = recordOutcome({ ...parts, ...parts.underWay })
  const streams = streamOptions(parts)
  return async (message) => {
    const call = receive(parts, message)
    if (!('request' in call)) return call
    try {
      await runSteps(steps, call)
      const streaming = streamingOf(call, streams)
      if (streaming !== undefined) return await beginStream(streaming)
    } catch (error) {
      call.answer?.stream?.cancel()
      call.problem = asProblem(error)
    }
    const reply = await settle(call)
    observeCall(parts, call, reply.status)
    return reply
  }
}

function streamOptions(parts: InboundParts): InboundStreamOptions {
  const { world, identity, agreements, consents, partnerOf } = parts
  return {
    ...parts,
    ...parts.underWay,
    agreement: agreement({ world, did: identity.did, agreements, consents, partnerOf }),
    observe: (call, status) => observeCall(parts, call, status),
  }
}

/** The call, or the reply when its head cannot even be read. */
export function receive(parts: InboundParts, message: IncomingMessage): InboundCall | Reply {
  const id = parts.newId()
  try {
    const request = readRequest(message, true, parts.clientKeyOf)
    const nowMs = parts.world.clock.now()
    const trace = parts.tracer.startExchange({ direction: 'inbound', nowMs })
    const addressed = parts.products.get(addressInPath(request.path))
    return openCall({ id, receivedAtMs: nowMs, message, request, addressed, trace })
  } catch (error) {
    const problem = asProblem(error)
    parts.tally.count(problem.code, message.socket.remoteAddress ?? '')
    return problemReply(problem, id)
  }
}
