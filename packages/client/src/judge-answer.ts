/** What an answer of the node means: a success, or which error. Pure. */
import { parseStringList } from '@comity/core/http-signatures/structured-fields'
import type { Answer, BytesAnswer } from './call-options.ts'
import { ComityError, type ComityErrorFacts } from './comity-error.ts'
import { receiptOf } from './receipt.ts'
import { replicaNoteOf } from './replica.ts'
import type { ReceivedAnswer } from './send-once.ts'
import { versionEndOf } from './version-end.ts'

const decoder = new TextDecoder()

/** Longest text of a document that goes into a message. */
const maxDetailLength = 2_000

/** The error that an answer stands for; undefined when it is a success. A redirect is none. */
export function errorOf(answer: ReceivedAnswer): ComityError | undefined {
  const { status, headers } = answer
  if (status === 0 || (status >= 300 && status < 400 && status !== 304)) {
    return new ComityError('redirected', 'the answer sends the caller elsewhere', factsOf(answer))
  }
  if (status >= 400) return refusalOf(answer)
  if (!headers.has('comity-exchange')) {
    return new ComityError('not-a-node', 'the answer has no `comity-exchange` field', { status })
  }
  return undefined
}

/** The answer with its JSON. Throws `answer-not-json`. */
export function jsonAnswer(answer: ReceivedAnswer): Answer<unknown> {
  if (answer.bytes.length === 0) return { ...headOf(answer), data: undefined }
  const type = mediaTypeOf(answer)
  if (!isJson(type)) {
    const what = type === '' ? 'no content type' : `the content type \`${type}\``
    throw new ComityError('answer-not-json', `the answer has ${what}`, factsOf(answer))
  }
  try {
    return { ...headOf(answer), data: JSON.parse(decoder.decode(answer.bytes)) as unknown }
  } catch {
    // The parser's own message quotes the data, which may be personal.
    throw new ComityError('answer-not-json', 'the answer calls itself JSON and is not', factsOf(answer))
  }
}

/** The answer as it came. */
export function bytesAnswer(answer: ReceivedAnswer): BytesAnswer {
  return { ...headOf(answer), bytes: answer.bytes, text: () => decoder.decode(answer.bytes) }
}

/** What an answer says before its content. */
export function headOf({ status, headers }: ReceivedAnswer): Omit<BytesAnswer, 'bytes' | 'text'> {
  const exchangeId = headers.get('comity-exchange') ?? ''
  const withheld = parseStringList(headers.get('comity-fields-withheld') ?? '') ?? []
  return {
    status,
    headers,
    exchangeId,
    receipt: receiptOf(headers.get('comity-receipt')),
    withheld,
    versionEnd: versionEndOf(headers),
    replica: replicaNoteOf(headers),
  }
}

function refusalOf(answer: ReceivedAnswer): ComityError {
  const document = documentOf(answer)
  const facts = { ...factsOf(answer), document }
  const members = typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {}
  const detail = textOf(members['detail']) ?? textOf(members['title']) ?? `the answer has the status ${answer.status}`
  const code = members['code']
  // Only problem documents speak for a node; what an API answers otherwise is its own affair.
  const isProblem = mediaTypeOf(answer) === 'application/problem+json'
  if (!isProblem || typeof code !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(code)) {
    return new ComityError('error-status', isProblem ? detail : `the answer has the status ${answer.status}`, facts)
  }
  return new ComityError(code, detail, { ...facts, remedy: textOf(members['remedy']) })
}

function documentOf(answer: ReceivedAnswer): unknown {
  if (!isJson(mediaTypeOf(answer))) return undefined
  try {
    return JSON.parse(decoder.decode(answer.bytes)) as unknown
  } catch {
    return undefined
  }
}

/** What an error says of the answer that it is about. */
export function factsOf({ status, headers }: ReceivedAnswer): ComityErrorFacts {
  const exchangeId = headers.get('comity-exchange') ?? undefined
  return { status, exchangeId, receipt: receiptOf(headers.get('comity-receipt')) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, maxDetailLength) : undefined
}

/** The answer's content type in lower case, without parameters. */
export function mediaTypeOf({ headers }: ReceivedAnswer): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function isJson(type: string): boolean {
  return type === 'application/json' || /^[a-z]+\/[^\s/]+\+json$/.test(type)
}
