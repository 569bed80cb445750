/** One product as the gateway uses it: its operations are found and checked, its upstream is called, its answers are
 *  judged. */
import { setImmediate } from 'node:timers/promises'
import type { Release } from '@comity/core/consent/release'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { buildOperationTree, matchOperation, type OperationTree } from './operations/matching.ts'
import { openApiProblem, type OpenApiDocument } from './openapi/openapi.ts'
import { judgeReleased, judgeWhole } from './operations/judge-answer.ts'
import { compileOperations, declaredAnswer, type CompiledOperations } from './operations/operations.ts'
import { conditionalFields, type JudgedAnswer, type ReleaseToApply } from './labels/data-answer.ts'
import { readDataCall, type DataCall } from './labels/data-call.ts'
import { planData, type DataOperation, type DataPlan } from './labels/data-plan.ts'
import {
  isPersonal,
  queryFor,
  readPersonalCall,
  requestForUpstream,
  type PersonalCall,
} from './labels/personal-call.ts'
import { describePersonal, type PersonalProduct } from './labels/personal-product.ts'
import { instantOf, keyTerms, type KeyTerms, type ProductSettings } from './product-config.ts'
import { costFaults, operationCosts, pricedOperation, type OperationCosts } from './operation-costs.ts'
import { referenceFaults, referenceSecondsOf, type ReferenceSettings } from './reference-config.ts'
import { checkRequest, type CheckedRequest } from './operations/request-check.ts'
import { openStream, streamsOf, type StreamedHead } from './rows/stream-answer.ts'
import type { UnlabelledField } from './labels/unlabelled-watch.ts'
import { watchAnswers } from './labels/watch-answers.ts'
import { describeLabelling, type Labelling } from './labels/labelling.ts'
import { createUpstream, type ForwardedAnswer, type Upstream } from './upstream/upstream.ts'

/** A call that found its operation and satisfied it. */
export interface MatchedCall {
  readonly operationId: string
  /** `/athletes/{id}`: the path without anybody's data. */
  readonly template: string
  readonly checked: CheckedRequest
  /** How many units of the limits it takes. */
  readonly units: number
  /** How long a reference lives that is given instead of an answer; undefined when the answer itself is given. */
  readonly referenceSeconds?: number | undefined
  /** Which labelled fields the call is about; undefined for an operation without any. */
  readonly data?: DataCall | undefined
  /** The same with whom the call is about; undefined for an operation about nobody. */
  readonly personal?: PersonalCall | undefined
}

export interface CallToMatch {
  readonly method: string
  /** Normalised, relative to the product, at least `/`. */
  readonly path: string
  /** `?…` as sent, `?` when there is none. */
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

export interface CallToForward {
  readonly method: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Goes upstream as `Comity-Exchange`, so that both sides' logs can be joined. */
  readonly exchangeId: string
  /** W3C `traceparent` of the call's span. */
  readonly traceparent?: string
  /** The reference of the subject that the upstream knows; it takes the place of what the request names. */
  readonly subjectReference?: string
  /** What may leave of the answer, for an operation with labels: where the product says how, the upstream is asked for
   *  no more. */
  readonly release?: Release | undefined
  readonly signal?: AbortSignal
  /** An answer that the operation streams may be read while it arrives. */
  readonly takesStream?: boolean
}

export interface Product extends AsyncDisposable, KeyTerms {
  readonly id: string
  readonly version: string
  readonly productClass: 'public' | 'partner' | 'personal'
  /** What a consent can speak about; undefined for products of other classes. */
  readonly personal: PersonalProduct | undefined
  /** Milliseconds since the epoch. */
  readonly deprecatedMs: number | undefined
  readonly sunsetMs: number | undefined
  readonly requestBytes: number
  readonly requireClientCertificate: boolean
  readonly sealing: ProductSettings['sealing']
  readonly settings: ProductSettings
  readonly document: OpenApiDocument
  /** Ids of all operations, in the document's order. */
  readonly operationIds: readonly string[]
  readonly labelling: Labelling
  readonly upstream: Upstream
  /** Compiles the schemas that no call has asked for yet, giving way to calls in between. */
  warm(): Promise<void>
  /** Whether some operation takes more than one unit of the limits. */
  readonly hasCosts: boolean
  /** The operation of a method and a normalised path, nothing checked, with the units it takes at least. */
  operationAt(method: string, path: string): { readonly id: string; readonly units: number } | undefined
  /** Throws `not-found`, `method-not-allowed`, or what `checkRequest` throws. */
  match(call: CallToMatch): MatchedCall
  /** Throws what `Upstream.forward` throws; an `Error` for a call about a person without `subjectReference`. */
  forward(matched: MatchedCall, call: CallToForward): Promise<ForwardedAnswer>
  /** The part of an answer that may leave. Throws `upstream-invalid` when it is not as declared, an `Error` for an
   *  answer with labelled fields, which only `minimise` lets go. */
  judge(matched: MatchedCall, answer: JudgedAnswer): JudgedAnswer
  /** Of an answer with labelled fields: of a success what was released and the header fields that say nothing of the
   *  rest; of any other answer the status alone. Throws `upstream-invalid`; an `Error` for an operation without labels. */
  minimise(matched: MatchedCall, answer: JudgedAnswer, released: ReleaseToApply): JudgedAnswer
  /** The same for a success that is read while it arrives: what leaves of its head, and what its body passes through.
   *  The rows throw `RowFault` when they are not as declared. */
  openStream(matched: MatchedCall, headers: readonly string[], released: ReleaseToApply): StreamedHead
  /** How long either side of a streamed answer may keep the other waiting, in milliseconds. */
  readonly streamIdleMs: number
}

export interface ProductParts {
  readonly settings: ProductSettings
  readonly document: OpenApiDocument
  /** `settings.upstreamHeaders` with the secrets in place, name (lower case) and value in turn. */
  readonly upstreamHeaders: readonly string[]
  /** Told of fields in answers that no label covers. */
  readonly onUnlabelled?: ((field: UnlabelledField) => void) | undefined
}

/** Compiles a document's operations. Throws `openapi-invalid` with everything that is wrong; with `whole`, schemas
 *  that cannot be compiled too, which takes some milliseconds each. */
export function compileProduct(document: OpenApiDocument, { whole }: { readonly whole: boolean }): CompiledOperations {
  const compiled = compileOperations(document)
  const deep = whole && compiled.errors.length === 0
  const errors = deep ? [...compiled.compileEach()].filter((error) => error !== undefined) : compiled.errors
  if (errors.length > 0) throw openApiProblem(document.source, errors)
  if (compiled.operations.length === 0) {
    throw openApiProblem(document.source, [{ pointer: '/paths', detail: 'declares no operation' }])
  }
  return compiled
}

/** The plan of a product with labels, undefined for others. Throws `malformed-request` with everything that does not go
 *  with the document in `errors` (`path` in the settings, `message`). */
export function compileData(
  settings: Pick<ProductSettings, 'class' | 'personal' | 'data' | 'references' | 'operations'>,
  { root }: OpenApiDocument,
  { operations, compiler }: CompiledOperations,
): DataPlan | undefined {
  const { plan, faults: ofData } = planData({ root, compiler, settings, operations })
  const faults = [...ofData, ...referenceFaults(settings, operations), ...costFaults(settings, operations, root)]
  const [first] = faults
  if (first === undefined) return plan
  const errors = faults.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new Problem('malformed-request', `\`${errors[0]?.path}\` is not right: ${first.message}`, {
    members: { errors },
  })
}

/** Sets a product up. Throws `openapi-invalid`, and what `compileData` throws. */
export function createProduct(parts: ProductParts, clock: Clock): Product {
  const { settings, document, upstreamHeaders } = parts
  const compiled = compileProduct(document, { whole: false })
  const { operations } = compiled
  const plan = compileData(settings, document, compiled)
  const seenBy = plan && watchAnswers(parts, plan, clock)
  const tree = buildOperationTree(operations)
  const costs = operationCosts(settings.operations)
  const upstream = createUpstream(
    { url: settings.upstream, headers: upstreamHeaders, ...settings.limits, circuit: settings.circuit },
    clock,
  )
  return {
    id: settings.id,
    version: settings.version,
    productClass: settings.class,
    personal: plan === undefined || settings.class !== 'personal' ? undefined : describePersonal(plan),
    deprecatedMs: instantOf(settings.deprecated),
    sunsetMs: instantOf(settings.sunset),
    requestBytes: settings.limits.requestBytes,
    sealing: settings.sealing,
    requireClientCertificate: settings.requireClientCertificate,
    ...keyTerms(settings),
    settings,
    document,
    operationIds: operations.map(({ id }) => id),
    labelling: describeLabelling(plan, operations, document.root),
    upstream,
    warm: () => warmUp(compiled),
    hasCosts: costs.hasAny,
    operationAt: (method, path) => pricedOperation(tree, costs, { method, path }),
    match: (call) => matchCall(tree, call, { plan, settings, costs }),
    forward: (matched, call) => forwardCall(upstream, { matched, planned: plannedOf(plan, matched) }, call),
    judge: ({ checked, data }, answer) => judgeWhole(checked, answer, data !== undefined),
    minimise: (matched, answer, released) =>
      judgeReleased(matched.checked, plannedOf(plan, matched), {
        answer,
        ...released,
        seen: seenBy?.(matched.operationId),
      }),
    openStream(matched, headers, released) {
      const planned = plannedOf(plan, matched)
      if (planned === undefined) throw new Error('an answer without labelled fields is not streamed')
      const watched = { ...released, seen: seenBy?.(matched.operationId) }
      return openStream(matched.checked.operation, planned, { headers, released: watched })
    },
    streamIdleMs: settings.limits.streamIdleMs,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

/** The same product, upstream and running calls with it, with another word on its end. */
export function withLife(product: Product, settings: ProductSettings): Product {
  return { ...product, settings, deprecatedMs: instantOf(settings.deprecated), sunsetMs: instantOf(settings.sunset) }
}

function plannedOf(plan: DataPlan | undefined, { operationId }: MatchedCall): DataOperation | undefined {
  return plan?.operations.get(operationId)
}

async function warmUp(compiled: CompiledOperations): Promise<void> {
  for (const _ of compiled.compileEach()) await setImmediate()
}

interface Declared {
  readonly plan: DataPlan | undefined
  readonly settings: ReferenceSettings
  readonly costs: OperationCosts
}

function matchCall(tree: OperationTree, call: CallToMatch, { plan, settings, costs }: Declared): MatchedCall {
  const found = matchOperation(tree, call.method, call.path)
  if (found === 'not-found') throw new Problem('not-found', 'the product declares no such path')
  if ('allow' in found) {
    throw new Problem('method-not-allowed', 'the path is not declared with this method', {
      members: { allow: found.allow },
    })
  }
  const { query, headers, body } = call
  const { operation } = found
  const planned = plan?.operations.get(operation.id)
  const checked = checkRequest(found, {
    query,
    body,
    header: (name) => headers.get(name),
    subject: planned?.subject,
  })
  const matched = {
    operationId: operation.id,
    template: operation.template.text,
    checked,
    units: costs.of(operation.id, checked.body),
    referenceSeconds: referenceSecondsOf(settings, operation.id),
  }
  if (plan === undefined || planned === undefined) return matched
  if (!isPersonal(planned)) return { ...matched, data: readDataCall(checked, planned, plan.labels) }
  const personal = readPersonalCall(checked, planned, plan.labels)
  return { ...matched, data: personal, personal }
}

interface CallOnItsWay {
  readonly matched: MatchedCall
  readonly planned: DataOperation | undefined
}

async function forwardCall(
  upstream: Upstream,
  { matched: { checked }, planned }: CallOnItsWay,
  call: CallToForward,
): Promise<ForwardedAnswer> {
  const { operation } = checked
  const isLabelled = planned !== undefined
  return upstream.forward({
    method: call.method,
    ...(isLabelled
      ? labelledRequest(checked, planned, call)
      : { path: checked.path, query: checked.query, body: call.body }),
    header: (name) => (isLabelled && conditionalFields.has(name) ? undefined : call.headers.get(name)),
    contentType: checked.contentType,
    requestFields: operation.requestFields,
    answerFields: isLabelled ? [] : operation.answerFields,
    ownFields: [
      'comity-exchange',
      call.exchangeId,
      ...(call.traceparent === undefined ? [] : ['traceparent', call.traceparent]),
    ],
    declaresStatus: (status) => declaredAnswer(operation, status) !== undefined,
    streams: call.takesStream === true ? streamsOf(operation, planned) : undefined,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  })
}

function labelledRequest(checked: CheckedRequest, planned: DataOperation, call: CallToForward) {
  const { subjectReference, body, release } = call
  if (!isPersonal(planned)) return { path: checked.path, query: queryFor(checked, planned, { release }), body }
  if (subjectReference === undefined) throw new Error('a call about a person without the reference of the person')
  return requestForUpstream(checked, planned, { reference: subjectReference, body, release })
}
