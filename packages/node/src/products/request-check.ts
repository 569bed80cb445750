/** Checking a call against its operation: parameters, then body. What passes is written anew for the upstream, so
 *  that it reads exactly what was checked. */
import { isUtf8 } from 'node:buffer'
import { Problem } from '@comity/core/problems'
import { declaredFor, readMediaType } from './media-types.ts'
import type { OperationMatch } from './matching.ts'
import type { Operation } from './operations.ts'
import { readParameter, writeQueryParameter, type Parameter } from './parameters.ts'
import { fillTemplate } from './path-template.ts'
import { parseQuery } from './query.ts'
import { JsonFault, parseStrictJson } from './schemas/strict-json.ts'

/** The parts of a request that an operation speaks of. */
export interface RequestToCheck {
  /** `?…` as sent; `?` or nothing when there is none. */
  readonly query: string
  readonly header: (name: string) => string | undefined
  readonly body: Buffer
}

/** A request that satisfied its operation, as it goes upstream. */
export interface CheckedRequest {
  readonly operation: Operation
  /** Path below the upstream's, canonically escaped. */
  readonly path: string
  /** `?…`, canonically escaped; empty when there is none. */
  readonly query: string
}

interface ParameterError {
  readonly parameter: string
  readonly in: Parameter['place']
  readonly detail: string
}

/** At most so many errors are listed. */
const maxErrors = 20

/** Checks a call. Throws `invalid-parameters`, `unsupported-media-type`, `malformed-request` or `invalid-body`, each
 *  with what is wrong in `errors`. */
export function checkRequest(match: OperationMatch, request: RequestToCheck): CheckedRequest {
  const errors: ParameterError[] = []
  const path = checkPath(match, errors)
  const query = checkQuery(match.operation, request.query, errors)
  checkHeaders(match.operation, request.header, errors)
  if (errors.length > 0) throw invalidParameters(errors)
  checkBody(match.operation, request)
  return { operation: match.operation, path, query }
}

function invalidParameters(errors: readonly ParameterError[]): Problem {
  const first = errors[0] as ParameterError
  return new Problem('invalid-parameters', `the ${first.in} parameter \`${first.parameter}\` ${first.detail}`, {
    members: { errors: errors.slice(0, maxErrors) },
  })
}

function checkPath({ operation, pathParameters }: OperationMatch, errors: ParameterError[]): string {
  const texts = new Map<string, string>()
  for (let index = 0; index < pathParameters.length; index++) {
    const name = operation.template.names[index]
    const parameter = operation.pathParameters.find((candidate) => candidate.name === name) as Parameter
    const {
      texts: [text = ''],
      error,
    } = readParameter(parameter, [pathParameters[index] as string])
    if (error !== undefined) errors.push({ parameter: parameter.name, in: 'path', detail: error })
    texts.set(parameter.name, text)
  }
  return fillTemplate(operation.template, texts)
}

function checkQuery(operation: Operation, query: string, errors: ParameterError[]): string {
  const sent = valuesByName(operation, query, errors)
  const written: string[] = []
  for (const [name, rawValues] of sent) {
    const parameter = operation.queryParameters.get(name) as Parameter
    const { texts, error } = readParameter(parameter, rawValues)
    if (error !== undefined) errors.push({ parameter: name, in: 'query', detail: error })
    else written.push(writeQueryParameter(parameter, texts))
  }
  for (const { name, required } of operation.queryParameters.values()) {
    if (required && !sent.has(name)) errors.push({ parameter: name, in: 'query', detail: 'is missing' })
  }
  return written.length === 0 ? '' : `?${written.join('&')}`
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

function checkBody({ requestBody }: Operation, { body, header }: RequestToCheck): void {
  if (requestBody === undefined) {
    if (body.length > 0) throw new Problem('invalid-body', 'the operation takes no body', { members: { errors: [] } })
    return
  }
  if (body.length === 0 && header('content-type') === undefined) {
    if (requestBody.required)
      throw new Problem('invalid-body', 'the operation needs a body', { members: { errors: [] } })
    return
  }
  const accepted = [...requestBody.contents.keys()]
  const encoding = header('content-encoding')
  const type = readMediaType(header('content-type'))
  const content = type === undefined ? undefined : declaredFor(requestBody.contents, type)
  if (type === undefined || content === undefined || (encoding !== undefined && encoding !== 'identity')) {
    throw new Problem('unsupported-media-type', 'the body is of a content type that the operation does not take', {
      members: { accepted },
    })
  }
  if (content.kind === 'opaque') return
  const value = content.kind === 'json' ? readJson(body) : readText(body)
  const error = content.check(value)
  if (error === undefined) return
  throw new Problem('invalid-body', `the body is wrong at \`${error.pointer}\`: ${error.detail}`.slice(0, 300), {
    members: { errors: [error] },
  })
}

function readJson(body: Buffer): unknown {
  try {
    return parseStrictJson(body)
  } catch (cause) {
    if (cause instanceof JsonFault) throw new Problem('malformed-request', `the body ${cause.message}`, { cause })
    throw cause
  }
}

function readText(body: Buffer): string {
  if (!isUtf8(body)) throw new Problem('malformed-request', 'the body is not UTF-8')
  return body.toString('utf8')
}
