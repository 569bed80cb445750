/** Several operations asked for in one call, of one partner or of several: each part has its own answer, each partner's
 *  node its one receipt. */
import type { CallSettings, PathValues, QueryValues } from './call-options.ts'
import type { Credential } from './api-key.ts'
import { ComityError } from './comity-error.ts'
import { bytesAnswer, jsonAnswer } from './judge-answer.ts'
import type { Pacer } from './pacer.ts'
import { performCall } from './perform-call.ts'
import { chooseSettings } from './product.ts'
import { receiptOf, type Receipt } from './receipt.ts'
import { requestHead } from './request-head.ts'
import { fillPath, queryText } from './target.ts'
import type { World } from './world.ts'

/** One part: a `GET` of a partner's product. */
export interface CompositePart {
  /** Alias or DID. */
  readonly partner: string
  readonly product: string
  /** Below the product, e.g. `/athletes/{id}`. */
  readonly path: string
  /** For the `{…}` of the path. */
  readonly values?: PathValues
  readonly query?: QueryValues
  /** As in calls by themselves. */
  readonly purpose?: string
  readonly agreement?: string
  readonly consent?: string
  readonly subject?: string
}

/** Settings of the call as a whole; `purpose` is that of the parts which name none. */
export interface CompositeOptions extends Omit<CallSettings, 'agreement' | 'replica'> {
  readonly signal?: AbortSignal
  /** Fields for the own node. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What a part was answered. */
export type PartAnswer =
  | {
      readonly ok: true
      readonly status: number
      /** Media type; undefined for an answer without content. */
      readonly type: string | undefined
      /** The JSON; of other content the text, or bytes. Undefined without content. */
      readonly data: unknown
      readonly withheld: readonly string[]
    }
  | {
      readonly ok: false
      /** As a call by itself would throw it; `code` says why. */
      readonly error: ComityError
    }

/** One exchange that was needed: one for each partner, one more where a consent's token had run out. */
export interface CompositeExchange {
  /** DID of the partner. */
  readonly partner: string
  /** The own node's id of it. */
  readonly exchangeId: string
  /** Undefined when no receipt came: the partner was not reached, say. */
  readonly receipt: Receipt | undefined
  /** Names of the parts that it asked for. */
  readonly parts: readonly string[]
}

export interface CompositeAnswer<Name extends string = string> {
  readonly parts: Readonly<Record<Name, PartAnswer>>
  readonly exchanges: readonly CompositeExchange[]
  /** The answer as it came: each slice in it, byte by byte, is what a receipt's hash is of (`comity verify receipt
   *  --answer`). */
  readonly bytes: Uint8Array
}

export interface CompositeParts {
  /** The node's address. */
  readonly node: string
  readonly headers: Readonly<Record<string, string>>
  readonly credential?: Credential | undefined
  readonly settings: CallSettings
  readonly pacer: Pacer
  readonly world: World
}

type CallParts = Readonly<Record<string, CompositePart>>

/** Asks. Throws `ComityError` when the composite as a whole is refused; what is wrong with a part is its answer. */
export async function askComposite<Asked extends CallParts>(
  { node, headers, credential, settings, pacer, world }: CompositeParts,
  asked: Asked,
  options: CompositeOptions = {},
): Promise<CompositeAnswer<keyof Asked & string>> {
  // An agreement is one with one partner.
  const { agreement: _, ...chosen } = chooseSettings(settings, options)
  const { headers: own, signal } = options
  const head = requestHead(headers, { ...(own && { headers: own }), ...chosen }, world.random)
  const request = {
    method: 'POST',
    url: `${node}/~composite`,
    headers: { ...head, 'content-type': 'application/json' },
    credential,
    body: JSON.stringify({
      parts: Object.fromEntries(Object.entries(asked).map(([name, part]) => [name, wireOf(part)])),
    }),
    maxAnswerBytes: chosen.maxAnswerBytes,
  }
  // It is posted, and reads.
  const received = await performCall({ request, isRepeatable: true, ...chosen, signal }, pacer, world)
  const { data } = jsonAnswer(received)
  const { parts, exchanges } = data as AnswerJson
  const answered = Object.entries(parts).map(([name, slice]) => [name, partAnswer(slice, proofOf(name, exchanges))])
  return {
    parts: Object.fromEntries(answered) as Record<keyof Asked & string, PartAnswer>,
    exchanges: exchanges.map(exchangeView),
    bytes: bytesAnswer(received).bytes,
  }
}

function wireOf({ partner, product, path, values, query, purpose, agreement, consent, subject }: CompositePart) {
  const text = queryText(query)
  return {
    partner,
    product,
    path: fillPath(path, values),
    ...(text !== '' && { query: text.slice(1) }),
    purpose,
    agreement,
    consent,
    subject,
  }
}

interface ExchangeJson {
  readonly partner: string
  readonly exchange: string
  readonly receipt?: string
  readonly parts: readonly string[]
}

interface SliceJson {
  readonly status: number
  readonly type?: string
  readonly body?: unknown
  readonly text?: string
  readonly base64?: string
  readonly problem?: { readonly code?: unknown; readonly detail?: unknown; readonly remedy?: unknown }
  readonly withheld?: readonly string[]
}

interface AnswerJson {
  readonly parts: Readonly<Record<string, SliceJson>>
  readonly exchanges: readonly ExchangeJson[]
}

/** The exchange that gave the part its answer: the last one that asked for it. */
function proofOf(name: string, exchanges: readonly ExchangeJson[]): ExchangeJson | undefined {
  return exchanges.findLast(({ parts }) => parts.includes(name))
}

function exchangeView({ partner, exchange, receipt, parts }: ExchangeJson): CompositeExchange {
  return { partner, exchangeId: exchange, receipt: receiptOf(receipt ?? null), parts }
}

function partAnswer(slice: SliceJson, proof: ExchangeJson | undefined): PartAnswer {
  const { status, type, withheld = [], problem } = slice
  if (status < 400) return { ok: true, status, type, data: dataOf(slice), withheld }
  const facts = { status, exchangeId: proof?.exchange, receipt: receiptOf(proof?.receipt ?? null) }
  if (problem === undefined) {
    const document = dataOf(slice)
    return {
      ok: false,
      error: new ComityError('error-status', `the answer has the status ${status}`, { ...facts, document }),
    }
  }
  const code = typeof problem.code === 'string' ? problem.code : 'error-status'
  const detail = typeof problem.detail === 'string' ? problem.detail : `the answer has the status ${status}`
  const remedy = typeof problem.remedy === 'string' ? problem.remedy : undefined
  return { ok: false, error: new ComityError(code, detail, { ...facts, document: problem, remedy }) }
}

function dataOf({ body, text, base64 }: SliceJson): unknown {
  if (base64 !== undefined) return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return body === undefined ? text : body
}
