/** Step 8, `policy`: the holder's own rules allow the call, and say what of it they leave. They only ever narrow what
 *  agreement and consent allow. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import { parseActor, type Actor } from '@comity/core/exchange/actor'
import { maskRelease } from '@comity/core/minimisation/mask-release'
import type { FieldMask } from '@comity/core/policy/field-mask'
import { Problem } from '@comity/core/problems'
import { participantOf } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { ClientOfGateway } from '../key-port.ts'
import type { Decided, PoliciesPort, PolicyQuestion, PolicyVerdict } from '../policy-port.ts'
import type { DataCall, MatchedOperation, OfferedProduct, PartnerOfGateway, World } from '../ports.ts'
import { judgedFields, writtenBy } from './judged-fields.ts'
import { isSafeMethod } from './record-intent.ts'

export interface PolicyOptions {
  readonly world: World
  readonly policies: PoliciesPort
  readonly partnerOf: (did: string) => PartnerOfGateway | undefined
}

/** A client acts as what it was registered as. Whose key was only presented is known with less certainty than who
 *  proves to have it over this very request. */
function clientActor({ client, kind, use }: ClientOfGateway): Actor {
  const type = kind === 'device' ? 'device' : 'service'
  return { type, id: `client:${client}`, assurance: use === 'hmac' ? 'substantial' : 'low' }
}

/** Who acts is the signed word of a participant, or the client of a key; an unsigned word is nobody's. */
function actorOf({ request, caller, client }: InboundCall): Actor | undefined {
  const field = request.header('comity-actor')
  if (field === undefined) return client && clientActor(client)
  if (caller === undefined) throw new Problem('malformed-request', 'the field `comity-actor` needs a signed request')
  return parseActor(field)
}

function questionOf(
  call: InboundCall,
  { product, operation }: Matched,
  { world, partnerOf }: PolicyOptions,
): PolicyQuestion {
  const { request, release, consent } = call
  const { data } = operation
  const did = participantOf(call)
  return {
    caller: did,
    actor: actorOf(call),
    country: did === undefined ? undefined : partnerOf(did)?.country,
    address: request.remoteAddress,
    action: data?.action ?? actionOf(request.method),
    product: product.id,
    productClass: product.productClass,
    version: product.version,
    operation: operation.operationId,
    method: request.method,
    ...(data === undefined || release === undefined ? { labels: [] } : judgedFields(release, data, request.method)),
    ...(release && !isSafeMethod(request.method) && { asked: release.released }),
    ...(data?.change && { written: writtenBy(data.change) }),
    purpose: call.purpose,
    agreement: call.agreementId,
    ...(consent && { consent: consent.consent.id, via: consent.via, subject: consent.key.handle }),
    nowMs: world.clock.now(),
  }
}

interface Matched {
  readonly product: OfferedProduct
  readonly operation: MatchedOperation
}

function actionOf(method: string): ConsentAction {
  if (isSafeMethod(method)) return 'read'
  return method === 'DELETE' ? 'delete' : 'write'
}

function denial(verdict: PolicyVerdict & { readonly allowed: false }): Problem {
  const members = verdict.advice === undefined ? {} : { advice: verdict.advice }
  return new Problem(verdict.code, verdict.detail, { members })
}

function apply(call: InboundCall, decided: Decided | undefined, data: DataCall | undefined): void {
  if (decided === undefined) return
  call.policy = decided
  const { verdict } = decided
  if (!verdict.allowed) throw denial(verdict)
  if (verdict.mask === undefined || call.release === undefined || data === undefined) return
  call.release = maskRelease(call.release, verdict.mask, data.labels)
  // What changes something may go on without an answer; a read for nothing need not be made.
  if (call.release.released.length > 0 || !isSafeMethod(call.request.method)) return
  refuse(call, decided, 'the policies of the holder leave nothing of what the call asks for')
}

/** Refuses a call that is permitted, for what the mask leaves of it. */
function refuse(call: InboundCall, decided: Decided, detail: string): never {
  call.policy = decided.refused(detail)
  throw new Problem('policy-denied', detail)
}

export function policy(options: PolicyOptions): Step {
  return {
    name: 'policy',
    run(call) {
      const { product, operation } = call
      if (product === undefined || operation === undefined) return
      call.policyQuestion = questionOf(call, { product, operation }, options)
      const decided = options.policies.decide(call.policyQuestion)
      if (!(decided instanceof Promise)) return apply(call, decided, operation.data)
      return decided.then((found) => apply(call, found, operation.data))
    },
  }
}

/** The same question once more, by what is in force now, of a call whose answer is leaving. Throws `policy-denied` or
 *  `policy-failed`, also when less is left of the fields than leaves; what is left beyond that changes nothing. */
export async function ensureStillPermitted(
  call: InboundCall,
  { world, policies }: Pick<PolicyOptions, 'world' | 'policies'>,
): Promise<void> {
  if (call.policyQuestion === undefined) return
  const decided = await policies.decide({ ...call.policyQuestion, nowMs: world.clock.now() })
  if (decided === undefined) return
  const { verdict } = decided
  if (verdict.allowed && leavesAll(call, verdict.mask)) return
  if (verdict.allowed) refuse(call, decided, 'the policies of the holder leave less of the answer than when it began')
  call.policy = decided
  throw denial(verdict)
}

function leavesAll({ release, operation }: InboundCall, mask: FieldMask | undefined): boolean {
  if (mask === undefined || release === undefined) return true
  const { parts } = maskRelease(release, mask, operation?.data?.labels ?? [])
  return JSON.stringify(parts) === JSON.stringify(release.parts)
}
