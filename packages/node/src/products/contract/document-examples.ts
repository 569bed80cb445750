/** The examples that an OpenAPI document gives of parameters, bodies and answers (OpenAPI 3.1 §4.8.19). */
import type { Contents } from '../operations/contents.ts'
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, resolveObject, type Located } from '../openapi/references.ts'
import type { Operation } from '../operations/operations.ts'
import type { Parameter } from '../operations/parameters.ts'
import { schemaParts } from '../schemas/schema-parts.ts'
import type { ContractFinding } from './contract-finding.ts'

/** A value and where the document has it. */
export type Example = Located

/** Holds every example of an operation against the schema that it is an example of. */
export function checkExamples(root: JsonObject, operation: Operation): ContractFinding[] {
  const place = operationPlace(root, operation)
  const parameters = allParameters(operation).flatMap((parameter) =>
    examplesOfParameter(root, operation, parameter).map((example) => found(operation, example, parameter.check)),
  )
  const body = member(place, 'requestBody')
  const bodies =
    body.value === undefined
      ? []
      : checkContents(root, operation, { owner: body, contents: operation.requestBody?.contents })
  const responses = member(place, 'responses')
  const answers = [...operation.answers].flatMap(([status, { contents }]) =>
    checkContents(root, operation, { owner: member(responses, status), contents }),
  )
  return [...parameters, ...bodies, ...answers]
}

/** The examples of the JSON that an operation's successes carry. */
export function examplesOfAnswers(root: JsonObject, operation: Operation): Example[] {
  return examplesOfSuccesses(root, operation, 'json')
}

/** The examples of rows, where successes are rows and nothing else; those of whole texts are left out. */
export function examplesOfRows(root: JsonObject, operation: Operation): Example[] {
  return examplesOfSuccesses(root, operation, 'rows').filter(({ value }) => isObject(value))
}

function examplesOfSuccesses(root: JsonObject, operation: Operation, kind: 'json' | 'rows'): Example[] {
  const responses = member(operationPlace(root, operation), 'responses')
  return [...operation.answers].flatMap(([status, { contents }]) => {
    const content = member(resolveObject(root, member(responses, status)), 'content')
    if (!status.startsWith('2') || !isObject(content.value)) return []
    return Object.keys(content.value).flatMap((type) => {
      const declared = contents.get((type.toLowerCase().split(';')[0] ?? '').trim())
      if (declared?.kind !== kind) return []
      return [...examplesAt(root, member(content, type)), ...ownExamples(root, declared)]
    })
  })
}

/** The parameters of an operation wherever they stand. */
export function allParameters({ pathParameters, queryParameters, headerParameters }: Operation): Parameter[] {
  return [...pathParameters, ...queryParameters.values(), ...headerParameters]
}

/** The examples of a parameter, its own first, then those of its schema. */
export function examplesOfParameter(root: JsonObject, operation: Operation, parameter: Parameter): Example[] {
  const declared = parameterPlace(root, operation, parameter)
  return declared === undefined
    ? []
    : [...examplesAt(root, declared), ...examplesOfSchema(root, member(declared, 'schema'))]
}

/** The schema of a parameter. */
export function parameterSchema(root: JsonObject, operation: Operation, parameter: Parameter): Located | undefined {
  const declared = parameterPlace(root, operation, parameter)
  return declared && member(declared, 'schema')
}

/** A value that the schema itself names: an example, a default, the only one, the first of several. */
export function usualValues(root: JsonObject, operation: Operation, parameter: Parameter): readonly unknown[] {
  const declared = parameterPlace(root, operation, parameter)
  if (declared === undefined) return []
  return schemaParts(root, member(declared, 'schema')).flatMap(({ value }) => [
    ...('default' in value ? [value.default] : []),
    ...('const' in value ? [value.const] : []),
    ...(Array.isArray(value.enum) ? value.enum.slice(0, 1) : []),
  ])
}

function operationPlace(root: JsonObject, { template, method }: Operation): Located {
  return member(pathItemPlace(root, template.text), method.toLowerCase())
}

function pathItemPlace(root: JsonObject, path: string): Located {
  return resolveObject(root, member(member({ value: root, pointer: '' }, 'paths'), path))
}

function parameterPlace(
  root: JsonObject,
  operation: Operation,
  { name, place }: Parameter,
): Located<JsonObject> | undefined {
  const owners = [operationPlace(root, operation), pathItemPlace(root, operation.template.text)]
  const declared = owners.flatMap((owner) => {
    const list = member(owner, 'parameters')
    return Array.isArray(list.value) ? list.value.map((_, index) => resolveObject(root, member(list, index))) : []
  })
  const nameOf = ({ value }: Located<JsonObject>) =>
    value.in === 'header' ? String(value.name).toLowerCase() : value.name
  return declared.find((each) => each.value.in === place && nameOf(each) === name)
}

/** `example` and `examples` of a parameter or a media type. */
function examplesAt(root: JsonObject, owner: Located): Example[] {
  const single = member(owner, 'example')
  const named = member(owner, 'examples')
  const several = isObject(named.value)
    ? Object.keys(named.value).map((name) => resolveObject(root, member(named, name)))
    : []
  const values = several.map((each) => member(each, 'value'))
  return [...(single.value === undefined ? [] : [single]), ...values.filter(({ value }) => value !== undefined)]
}

/** `example` (OpenAPI 3.0 habit) and `examples` of a schema. */
function examplesOfSchema(root: JsonObject, schema: Located): Example[] {
  return schemaParts(root, schema).flatMap((part) => {
    const single = member(part, 'example')
    const list = member(part, 'examples')
    const several = Array.isArray(list.value) ? list.value.map((_, index) => member(list, index)) : []
    return [...(single.value === undefined ? [] : [single]), ...several]
  })
}

function checkContents(
  root: JsonObject,
  operation: Operation,
  { owner, contents }: { readonly owner: Located; readonly contents: Contents | undefined },
): ContractFinding[] {
  const content = member(resolveObject(root, owner), 'content')
  if (!isObject(content.value)) return []
  return Object.keys(content.value).flatMap((type) => {
    const check = contents?.get((type.toLowerCase().split(';')[0] ?? '').trim())
    if (check?.kind !== 'json' && check?.kind !== 'text') return []
    const examples = [...examplesAt(root, member(content, type)), ...ownExamples(root, check)]
    return examples.map((example) => found(operation, example, check.check))
  })
}

function ownExamples(root: JsonObject, check: { readonly kind: string; readonly schema?: Located }): Example[] {
  return check.schema === undefined ? [] : examplesOfSchema(root, check.schema)
}

function found(operation: Operation, { value, pointer }: Example, check: Parameter['check']): ContractFinding {
  const fault = check(value)
  const place = fault === undefined || fault.pointer === '' ? '' : ` \`${fault.pointer}\``
  return {
    operation: operation.id,
    check: 'example',
    outcome: fault === undefined ? 'good' : 'bad',
    detail: fault === undefined ? `\`${pointer}\`` : `\`${pointer}\`:${place} ${fault.detail}`,
  }
}
