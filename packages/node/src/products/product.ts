/** One product as the gateway uses it: its operations are found and checked, its upstream is called, its answers are
 *  judged. */
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { checkAnswer } from './answer-check.ts'
import { buildOperationTree, matchOperation, type OperationTree } from './matching.ts'
import { openApiProblem, type OpenApiDocument } from './openapi/openapi.ts'
import { compileOperations, declaredAnswer, type CompiledOperations } from './operations.ts'
import type { ProductSettings } from './product-config.ts'
import { checkRequest, type CheckedRequest } from './request-check.ts'
import { createUpstream, type ForwardedAnswer, type Upstream } from './upstream.ts'

/** A call that found its operation and satisfied it. */
export interface MatchedCall {
  readonly operationId: string
  /** `/athletes/{id}`: the path without anybody's data. */
  readonly template: string
  readonly checked: CheckedRequest
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
  readonly signal?: AbortSignal
}

export interface Product extends AsyncDisposable {
  readonly id: string
  readonly version: string
  readonly productClass: 'public' | 'partner'
  readonly requestBytes: number
  readonly requireClientCertificate: boolean
  readonly settings: ProductSettings
  readonly document: OpenApiDocument
  /** Ids of all operations, in the document's order. */
  readonly operationIds: readonly string[]
  readonly upstream: Upstream
  /** Compiles the schemas that no call has asked for yet, giving way to calls in between. */
  warm(): Promise<void>
  /** Throws `not-found`, `method-not-allowed`, or what `checkRequest` throws. */
  match(call: CallToMatch): MatchedCall
  /** Throws what `Upstream.forward` throws. */
  forward(matched: MatchedCall, call: CallToForward): Promise<ForwardedAnswer>
  /** The part of an answer that may leave. Throws `upstream-invalid` when it is not as declared. */
  judge(matched: MatchedCall, answer: AnswerToJudge): AnswerToJudge
}

/** Names and values alternate in `headers`. */
export interface AnswerToJudge {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

export interface ProductParts {
  readonly settings: ProductSettings
  readonly document: OpenApiDocument
  /** `settings.upstreamHeaders` with the secrets in place, name (lower case) and value in turn. */
  readonly upstreamHeaders: readonly string[]
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

/** Sets a product up. Throws `openapi-invalid`. */
export function createProduct({ settings, document, upstreamHeaders }: ProductParts, clock: Clock): Product {
  const compiled = compileProduct(document, { whole: false })
  const { operations } = compiled
  const tree = buildOperationTree(operations)
  const upstream = createUpstream(
    { url: settings.upstream, headers: upstreamHeaders, ...settings.limits, circuit: settings.circuit },
    clock,
  )
  return {
    id: settings.id,
    version: settings.version,
    productClass: settings.class,
    requestBytes: settings.limits.requestBytes,
    requireClientCertificate: settings.requireClientCertificate,
    settings,
    document,
    operationIds: operations.map(({ id }) => id),
    upstream,
    warm: () => warmUp(compiled),
    match: (call) => matchCall(tree, call),
    forward: (matched, call) => forwardCall(upstream, matched, call),
    judge: judgeAnswer,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

async function warmUp(compiled: CompiledOperations): Promise<void> {
  for (const _ of compiled.compileEach()) await setImmediate()
}

function matchCall(tree: OperationTree, call: CallToMatch): MatchedCall {
  const found = matchOperation(tree, call.method, call.path)
  if (found === 'not-found') throw new Problem('not-found', 'the product declares no such path')
  if ('allow' in found) {
    throw new Problem('method-not-allowed', 'the path is not declared with this method', {
      members: { allow: found.allow },
    })
  }
  const { query, headers, body } = call
  const checked = checkRequest(found, { query, body, header: (name) => headers.get(name) })
  return { operationId: found.operation.id, template: found.operation.template.text, checked }
}

function forwardCall(upstream: Upstream, { checked }: MatchedCall, call: CallToForward): Promise<ForwardedAnswer> {
  const { operation, path, query } = checked
  return upstream.forward({
    method: call.method,
    path,
    query,
    header: (name) => call.headers.get(name),
    body: call.body,
    requestFields: operation.requestFields,
    answerFields: operation.answerFields,
    ownFields: [
      'comity-exchange',
      call.exchangeId,
      ...(call.traceparent === undefined ? [] : ['traceparent', call.traceparent]),
    ],
    declaresStatus: (status) => declaredAnswer(operation, status) !== undefined,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  })
}

const noBytes = new Uint8Array(0)

function judgeAnswer({ checked }: MatchedCall, answer: AnswerToJudge): AnswerToJudge {
  const { status, headers, body } = answer
  const contentType = headers.find((_, index) => index % 2 === 1 && headers[index - 1] === 'content-type')
  const verdict = checkAnswer(checked.operation, { status, contentType, body })
  if (!verdict.allowed) {
    const { pointer, detail } = verdict.errors[0] ?? { pointer: '', detail: '' }
    const cause = new Error(`answer ${status} of \`${checked.operation.id}\`: \`${pointer}\` ${detail}`)
    throw new Problem('upstream-invalid', 'the answer of the upstream is not as declared', { cause })
  }
  if (verdict.release === 'whole') return answer
  const ofContent = (index: number) => headers[index - (index % 2)]?.startsWith('content-') === true
  return { status, headers: headers.filter((_, index) => !ofContent(index)), body: noBytes }
}
