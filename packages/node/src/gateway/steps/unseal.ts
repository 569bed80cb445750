/** Step `unseal`: what the caller sealed for this node is opened, so that the steps after it see the request as it was
 *  meant, and it is settled whether the answer leaves sealed, and to which of the caller's keys. Both are refused here,
 *  before anything is done, when one side requires what the other does not give. */
import { Problem } from '@comity/core/problems'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import { acceptSealingField, parseAcceptSealing } from '@comity/core/sealing/accept-sealing'
import { innerFields } from '@comity/core/sealing/sealed-content'
import { answerBinding, requestBinding, sealedMediaType, statedAlgorithm } from '@comity/core/sealing/sealed-envelope'
import { decideAnswerSealing, type SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import type { ReadSignature } from '@comity/core/http-signatures/profile-request'
import type { InboundCall, Step } from '../inbound-call.ts'
import type { SealingPort } from '../sealing-port.ts'

export interface UnsealOptions {
  readonly sealing: SealingPort
}

const inClear: SealingSettings = { answers: 'off', requests: 'off' }

/** The rules of the product that is called. */
interface Rules extends Required<SealingSettings> {
  readonly algorithms: readonly SealingAlgorithm[]
}

function rulesOf(call: InboundCall, sealing: SealingPort): Rules {
  const settings = call.product?.sealing ?? inClear
  return { ...settings, algorithms: sealing.allowed(settings.algorithms) }
}

function required(detail: string, { algorithms }: Rules): Problem {
  return new Problem('sealing-required', detail, { members: { accepted: algorithms } })
}

/** True for a content type that is exactly that of sealed content. */
export function isSealed(contentType: string | undefined): boolean {
  return contentType?.trim().toLowerCase() === sealedMediaType
}

function openRequest(call: InboundCall, rules: Rules, { open }: SealingPort): void {
  const { request, signature, body, product } = call
  if (!isSealed(request.header('content-type'))) {
    if (rules.requests !== 'required' || body.length === 0) return
    throw required(`the product \`${product?.id}\` takes bodies only sealed`, rules)
  }
  // Nothing binds the envelope of a caller that nobody identified.
  if (signature === undefined || call.caller === undefined) return
  const stated = statedAlgorithm(body.toString('latin1', 0, 4_200))
  if (stated !== undefined && !rules.algorithms.includes(stated)) {
    throw required(`${stated} is not an algorithm that the product \`${product?.id}\` takes`, rules)
  }
  const { content, facts } = open(body, { typ: 'comity-request', bnd: bindingOf(call, signature) })
  call.sealing.request = facts
  call.body = Buffer.from(content.body)
  call.request = withFields(call, content.fields)
}

function bindingOf({ request }: InboundCall, { keyid, nonce }: ReadSignature): string {
  const { method, authority, path, query } = request
  return requestBinding({ method, authority, path, query, keyid, nonce })
}

/** The request with the fields that travelled inside; what a field of that kind says outside counts for nothing. */
function withFields({ request }: InboundCall, fields: Readonly<Record<string, string>>): InboundCall['request'] {
  const headers = new Map([...request.headers].filter(([name]) => !innerFields.includes(name)))
  for (const [name, value] of Object.entries(fields)) headers.set(name, value)
  return { ...request, headers, header: (name) => headers.get(name) }
}

/** How the answer leaves. */
function settleAnswer(call: InboundCall, rules: Rules, sealing: SealingPort): Promise<void> | undefined {
  const { request, signature, caller } = call
  const field = caller && request.header(acceptSealingField)
  const accepted = caller && field !== undefined ? parseAcceptSealing(field, caller.did) : undefined
  const verdict = decideAnswerSealing({ mode: rules.answers, algorithms: rules.algorithms, accepted })
  if (verdict.outcome === 'clear') return undefined
  if (verdict.outcome === 'refused') {
    throw new Problem(verdict.code, verdict.detail, { members: { accepted: rules.algorithms } })
  }
  const bnd = answerBinding(signature?.base ?? '')
  return sealing.resolveTarget(verdict.offer).then((target) => void (call.sealing.target = { ...target, bnd }))
}

/** Most calls: neither side seals, and nothing came sealed. */
function isNobodysWish({ product, request }: InboundCall): boolean {
  if (product?.sealing !== undefined || request.header(acceptSealingField) !== undefined) return false
  return !isSealed(request.header('content-type'))
}

export function unseal({ sealing }: UnsealOptions): Step {
  return {
    name: 'unseal',
    run(call) {
      if (call.product === undefined || isNobodysWish(call)) return
      const rules = rulesOf(call, sealing)
      // The answer first: a request that cannot be opened is told so under the same seal.
      const settled = settleAnswer(call, rules, sealing)
      if (settled !== undefined) return settled.then(() => openRequest(call, rules, sealing))
      openRequest(call, rules, sealing)
    },
  }
}
