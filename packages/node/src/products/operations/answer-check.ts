/** Checking an answer of the upstream against its operation. What is not declared does not leave the node. */
import { isUtf8 } from 'node:buffer'
import { plainJson } from '@comity/core/bytes/exact-json'
import { JsonFault } from '@comity/core/bytes/json-scan'
import { RowFault } from '@comity/core/minimisation/rows/row-stream'
import { declaredFor, readMediaType } from './media-types.ts'
import { declaredAnswer, type Operation } from './operations.ts'
import type { ContentCheck, RowsContent } from './contents.ts'
import { openWholeRows, passRows } from '../rows/row-answer.ts'
import type { ValueCheck, ValueError } from '../schemas/schema-compiler.ts'
import { parseExactAnswer } from '../schemas/strict-json.ts'

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
  const content = declaredContent(operation, answer)
  if (answer.body.byteLength === 0 && !isEmptyRows(content)) {
    return emptyVerdict(operation, answer, declared.contents.size)
  }
  if (declared.contents.size === 0) return head
  if (content === undefined) return refused('the content type is not declared')
  return checkContent(content, answer.body)
}

/** What is declared of answers with this status and content type. */
export function declaredContent(
  operation: Operation,
  { status, contentType }: Pick<AnswerToCheck, 'status' | 'contentType'>,
): ContentCheck | undefined {
  const type = readMediaType(contentType)
  return type === undefined ? undefined : declaredFor(declaredAnswer(operation, status)?.contents ?? noContents, type)
}

const noContents: ReadonlyMap<string, ContentCheck> = new Map()

/** No rows at all are no bytes; a table has its header row. */
function isEmptyRows(content: ContentCheck | undefined): boolean {
  return content?.kind === 'rows' && content.format === 'ndjson'
}

/** A body that is declared may be missing where HTTP has none (HEAD), and with errors; not with a success. */
function emptyVerdict(operation: Operation, { status }: AnswerToCheck, declaredContents: number): AnswerVerdict {
  const mayBeEmpty = declaredContents === 0 || operation.method === 'HEAD' || status === 204 || status >= 300
  return mayBeEmpty ? whole : refused('the body is missing')
}

function checkContent(content: ContentCheck, body: Uint8Array): AnswerVerdict {
  if (content.kind === 'opaque') return whole
  if (content.kind === 'json') return checkJson(content.check, body)
  if (content.kind === 'rows') return checkRows(content, body)
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
    return refused(`the body ${error.message} (\`${error.rule}\`)`, error.pointer)
  }
  const error = checkDeep(check, plainJson(value))
  return error === undefined ? { ...whole, json: { value } } : { allowed: false, errors: [error] }
}

function checkRows(content: RowsContent, body: Uint8Array): AnswerVerdict {
  const broken = brokenRows(() => void passRows(openWholeRows(content), body))
  return broken ?? whole
}

/** The verdict over rows that cannot be passed on. */
export function brokenRows(pass: () => void): Extract<AnswerVerdict, { allowed: false }> | undefined {
  try {
    pass()
    return undefined
  } catch (error) {
    if (!(error instanceof RowFault)) throw error
    return { allowed: false, errors: [{ pointer: '', detail: error.message }] }
  }
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
