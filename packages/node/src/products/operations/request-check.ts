/** Checking a call against its operation: parameters, then body. What passes is written anew for the upstream, so
 *  that it reads exactly what was checked. */
import { isUtf8 } from 'node:buffer'
import { JsonFault, type JsonRule } from '@comity/core/bytes/json-scan'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { declaredFor, judgedContentType, parseContentType } from './media-types.ts'
import { brokenRows } from './answer-check.ts'
import type { ContentCheck, RowsContent } from './contents.ts'
import { openWholeRows, passRows } from '../rows/row-answer.ts'
import { memberAt, stepsOfPointer } from './json-pointer.ts'
import type { OperationMatch } from './matching.ts'
import type { Operation } from './operations.ts'
import { readParameter, writeQueryParameter, type Parameter } from './parameters.ts'
import { fillTemplate } from './path-template.ts'
import type { SubjectPlace } from '../labels/personal-config.ts'
import { parseQuery } from './query.ts'
import type { ValueError } from '../schemas/schema-compiler.ts'
import { parseStrictJson } from '../schemas/strict-json.ts'

/** The parts of a request that an operation speaks of. */
export interface RequestToCheck {
  /** `?…` as sent; `?` or nothing when there is none. */
  readonly query: string
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
  /** Where a pairwise id may stand instead of a value that the operation takes. */
  readonly subject?: SubjectPlace | undefined
}

/** A request that satisfied its operation, as it goes upstream. */
export interface CheckedRequest {
  readonly operation: Operation
  /** Path below the upstream's, canonically escaped. */
  readonly path: string
  /** `?…`, canonically escaped; empty when there is none. */
  readonly query: string
  /** Parameters by name, decoded. */
  readonly texts: ParameterTexts
  /** Of the body, as the node writes it for the upstream; undefined where there is none. */
  readonly contentType: string | undefined
  /** The body's value where it is declared as JSON with a schema, and its check. */
  readonly body: unknown
  readonly content: ContentCheck | undefined
  /** The rows of a body that is nothing but rows. */
  readonly rows?: readonly unknown[] | undefined
}

export interface ParameterTexts {
  readonly path: ReadonlyMap<string, string>
  /** In the order of the request; several for a list. */
  readonly query: ReadonlyMap<string, readonly string[]>
}

export interface ParameterError {
  readonly parameter: string
  readonly in: Parameter['place']
  readonly detail: string
}

/** A person's identifier towards one participant. */
const pairwiseId = /^ps_[A-Za-z0-9_-]{43}$/

/** At most so many errors are listed. */
const maxErrors = 20

/** Checks a call. Throws `invalid-parameters`, `unsupported-media-type`, one of `codes` below or `invalid-body`, each
 *  with what is wrong in `errors`. */
export function checkRequest(match: OperationMatch, request: RequestToCheck): CheckedRequest {
  const { operation } = match
  const errors: ParameterError[] = []
  const path = readPath(match, request.subject, errors)
  const query = readQuery(operation, request, errors)
  checkHeaders(operation, request.header, errors)
  if (errors.length > 0) throw invalidParameters(errors)
  return {
    operation,
    path: fillTemplate(operation.template, path),
    query: writeQuery(operation, query),
    texts: { path, query },
    ...checkBody(operation, request),
  }
}

/** The problem of these parameters. */
export function invalidParameters(errors: readonly ParameterError[]): Problem {
  const first = errors[0] as ParameterError
  return new Problem('invalid-parameters', `the ${first.in} parameter \`${first.parameter}\` ${first.detail}`, {
    members: { errors: errors.slice(0, maxErrors) },
  })
}

function isPairwise(parameter: Parameter, texts: readonly string[], subject: SubjectPlace | undefined): boolean {
  const isSubject = subject !== undefined && subject.in === parameter.place && subject.name === parameter.name
  return isSubject && texts.length === 1 && pairwiseId.test(texts[0] as string)
}

function readPath(
  { operation, pathParameters }: OperationMatch,
  subject: SubjectPlace | undefined,
  errors: ParameterError[],
): Map<string, string> {
  const read = new Map<string, string>()
  for (let index = 0; index < pathParameters.length; index++) {
    const name = operation.template.names[index]
    const parameter = operation.pathParameters.find((candidate) => candidate.name === name) as Parameter
    const { texts, error } = readParameter(parameter, [pathParameters[index] as string])
    if (error !== undefined && !isPairwise(parameter, texts, subject)) {
      errors.push({ parameter: parameter.name, in: 'path', detail: error })
    }
    read.set(parameter.name, texts[0] ?? '')
  }
  return read
}

function readQuery(
  operation: Operation,
  { query, subject }: RequestToCheck,
  errors: ParameterError[],
): Map<string, readonly string[]> {
  const sent = valuesByName(operation, query, errors)
  const read = new Map<string, readonly string[]>()
  for (const [name, rawValues] of sent) {
    const parameter = operation.queryParameters.get(name) as Parameter
    const { texts, error } = readParameter(parameter, rawValues)
    if (error !== undefined && !isPairwise(parameter, texts, subject)) {
      errors.push({ parameter: name, in: 'query', detail: error })
    }
    read.set(name, texts)
  }
  for (const { name, required } of operation.queryParameters.values()) {
    if (required && !sent.has(name)) errors.push({ parameter: name, in: 'query', detail: 'is missing' })
  }
  return read
}

function writeQuery({ queryParameters }: Operation, values: ReadonlyMap<string, readonly string[]>): string {
  if (values.size === 0) return ''
  const written = [...values].map(([name, texts]) => writeQueryParameter(queryParameters.get(name) as Parameter, texts))
  return `?${written.join('&')}`
}

function valuesByName(operation: Operation, query: string, errors: ParameterError[]): Map<string, string[]> {
  const values = new Map<string, string[]>()
  if (query === '' || query === '?') return values
  const pairs = parseQuery(query)
  if (pairs === undefined) throw new Problem('invalid-parameters', 'the query cannot be read')
  for (const { name, rawValue } of pairs) {
    const earlier = values.get(name)
    if (earlier !== undefined) earlier.push(rawValue)
    else if (operation.queryParameters.has(name)) values.set(name, [rawValue])
    else errors.push({ parameter: name.slice(0, 64), in: 'query', detail: 'is not declared' })
  }
  return values
}

function checkHeaders(operation: Operation, header: RequestToCheck['header'], errors: ParameterError[]): void {
  for (const parameter of operation.headerParameters) {
    const value = header(parameter.name)
    if (value === undefined) {
      if (parameter.required) errors.push({ parameter: parameter.name, in: 'header', detail: 'is missing' })
      continue
    }
    const { error } = readParameter(parameter, [value])
    if (error !== undefined) errors.push({ parameter: parameter.name, in: 'header', detail: error })
  }
}

/** What was read of a body. */
type ReadBody = Pick<CheckedRequest, 'body' | 'content' | 'rows' | 'contentType'>

const noBody: ReadBody = { body: undefined, content: undefined, contentType: undefined }

function checkBody({ requestBody }: Operation, { body, header, subject }: RequestToCheck): ReadBody {
  if (requestBody === undefined) {
    if (body.length > 0) throw new Problem('invalid-body', 'the operation takes no body', { members: { errors: [] } })
    return noBody
  }
  if (body.length === 0 && header('content-type') === undefined) {
    if (requestBody.required)
      throw new Problem('invalid-body', 'the operation needs a body', { members: { errors: [] } })
    return noBody
  }
  const accepted = [...requestBody.contents.keys()]
  const encoding = header('content-encoding')
  const read = parseContentType(header('content-type'))
  const content = read === undefined ? undefined : declaredFor(requestBody.contents, read.type)
  const contentType = read && content && judgedContentType(read, content)
  const isCoded = encoding !== undefined && encoding !== 'identity'
  if (content === undefined || contentType === undefined || isCoded) {
    throw new Problem('unsupported-media-type', 'the body is of a content type that the operation does not take', {
      members: { accepted },
    })
  }
  return { ...readContent(content, { body, subject }), contentType }
}

function readContent(content: ContentCheck, { body, subject }: Pick<RequestToCheck, 'body' | 'subject'>): ReadBody {
  if (content.kind === 'opaque') return noBody
  if (content.kind === 'rows') return checkRows(content, body)
  const value = content.kind === 'json' ? readJson(body) : readText(body)
  const error = content.check(value)
  // What else may be wrong is found when the reference stands where the pairwise id does.
  if (error !== undefined && !isPairwiseInBody(value, error.pointer, subject)) throw invalidBody(error)
  return content.kind === 'json' ? { ...noBody, body: value, content } : noBody
}

/** Rows are checked one by one and go on as they came. */
function checkRows(content: RowsContent, body: Buffer): ReadBody {
  const rows: unknown[] = []
  const broken = brokenRows(
    () =>
      void passRows(
        openWholeRows(content, (row) => rows.push(row)),
        body,
      ),
  )
  if (broken !== undefined) throw invalidBody(broken.errors[0] ?? { pointer: '', detail: 'is not valid' })
  return { ...noBody, rows }
}

/** The problem of a body. */
export function invalidBody(error: ValueError): Problem {
  const place = error.pointer === '' ? '' : ` at \`${error.pointer}\``
  return new Problem('invalid-body', `the body is wrong${place}: ${error.detail}`.slice(0, 300), {
    members: { errors: [error] },
  })
}

function isPairwiseInBody(body: unknown, pointer: string, subject: SubjectPlace | undefined): boolean {
  if (subject?.in !== 'body' || subject.pointer !== pointer) return false
  const text = memberAt(body, stepsOfPointer(pointer))
  return typeof text === 'string' && pairwiseId.test(text)
}

const codes: Readonly<Record<JsonRule, ProblemCode>> = {
  'invalid-utf8': 'text-not-utf8',
  malformed: 'json-invalid',
  'lone-surrogate': 'json-invalid',
  'duplicate-member': 'json-duplicate-member',
  'too-deep': 'json-too-deep',
  'too-wide': 'json-too-wide',
}

function readJson(body: Buffer): unknown {
  try {
    return parseStrictJson(body)
  } catch (cause) {
    if (cause instanceof JsonFault) throw new Problem(codes[cause.rule], `the body ${cause.message}`, { cause })
    throw cause
  }
}

function readText(body: Buffer): string {
  if (!isUtf8(body)) throw new Problem('text-not-utf8', 'the body is not UTF-8')
  return body.toString('utf8')
}
