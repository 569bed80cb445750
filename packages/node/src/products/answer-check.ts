/** Checking an answer of the upstream against its operation. What is not declared does not leave the node. */
import { isUtf8 } from 'node:buffer'
import { plainJson } from '@comity/core/bytes/exact-json'
import { JsonFault } from '@comity/core/bytes/json-scan'
import { declaredFor, readMediaType } from './media-types.ts'
import { declaredAnswer, type Operation } from './operations.ts'
import type { ContentCheck } from './contents.ts'
import type { ValueCheck, ValueError } from './schemas/schema-compiler.ts'
import { parseExactAnswer } from './schemas/strict-json.ts'

/** `whole`: status, fields and body may leave. `head`: the body may not, for none is declared with this status. `json`
 *  is the body's value where it is declared as JSON with a schema.
 *  The errors of a refused answer are for the operator's log; they name members, never values. */
export type AnswerVerdict =
  | {
      readonly allowed: true
      readonly release: 'whole' | 'head'
      readonly json?: { readonly value: unknown } | undefined
    }
  | { readonly allowed: false; readonly errors: readonly ValueError[] }

export interface AnswerToCheck {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

const whole = { allowed: true, release: 'whole' } as const
const head = { allowed: true, release: 'head' } as const
const refused = (detail: string, pointer = ''): AnswerVerdict => ({ allowed: false, errors: [{ pointer, detail }] })

/** Judges an answer. 304 is always declared: the forwarder lets it through for conditional requests only. */
export function checkAnswer(operation: Operation, answer: AnswerToCheck): AnswerVerdict {
  if (answer.status === 304) return head
  const declared = declaredAnswer(operation, answer.status)
  if (declared === undefined) return refused(`the status ${answer.status} is not declared`)
  if (answer.body.byteLength === 0) return emptyVerdict(operation, answer, declared.contents.size)
  if (declared.contents.size === 0) return head
  const type = readMediaType(answer.contentType)
  const content = type === undefined ? undefined : declaredFor(declared.contents, type)
  if (content === undefined) return refused('the content type is not declared')
  return checkContent(content, answer.body)
}

/** A body that is declared may be missing where HTTP has none (HEAD), and with errors; not with a success. */
function emptyVerdict(operation: Operation, { status }: AnswerToCheck, declaredContents: number): AnswerVerdict {
  const mayBeEmpty = declaredContents === 0 || operation.method === 'HEAD' || status === 204 || status >= 300
  return mayBeEmpty ? whole : refused('the body is missing')
}

function checkContent(content: ContentCheck, body: Uint8Array): AnswerVerdict {
  if (content.kind === 'opaque') return whole
  if (content.kind === 'json') return checkJson(content.check, body)
  if (!isUtf8(body)) return refused('the body is not UTF-8')
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  const error = checkDeep(content.check, text)
  return error === undefined ? whole : { allowed: false, errors: [error] }
}

function checkJson(check: ValueCheck, body: Uint8Array): AnswerVerdict {
  let value: unknown
  try {
    value = parseExactAnswer(body)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    return refused(`the body ${error.message}`, error.pointer)
  }
  const error = checkDeep(check, plainJson(value))
  return error === undefined ? { ...whole, json: { value } } : { allowed: false, errors: [error] }
}

/** A schema that refers to itself is followed as deep as the value goes, which no answer may make too deep. */
function checkDeep(check: ValueCheck, value: unknown): ValueError | undefined {
  try {
    return check(value)
  } catch (error) {
    if (error instanceof RangeError) return { pointer: '', detail: 'is nested too deeply' }
    throw error
  }
}

/** The value of the first field of a name (lower case); names and values alternate. */
export function fieldOf(headers: readonly string[], name: string): string | undefined {
  return headers.find((_, index) => index % 2 === 1 && headers[index - 1] === name)
}
