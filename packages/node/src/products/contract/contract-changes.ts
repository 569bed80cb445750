/** What of a new version of a product breaks those who call the old one. */
import type { Contents } from '../operations/contents.ts'
import type { OpenApiDocument } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import type { Parameter } from '../operations/parameters.ts'
import { compileProduct } from '../product.ts'
import { allParameters, parameterSchema } from './document-examples.ts'
import { schemaChanges, type Direction } from './schema-changes.ts'

/** One change that breaks. */
export interface BreakingChange {
  /** `GET /athletes/{id}`. */
  readonly operation: string
  /** `query parameter \`limit\``, `body \`/name\``, `answer 200 \`/items/[]/born\``; undefined for all of the operation. */
  readonly place?: string | undefined
  readonly detail: string
}

interface Versions<T> {
  readonly before: T
  readonly after: T
}

/** Everything that breaks, in the order of the old document. Throws `openapi-invalid`. */
export function breakingChanges(before: OpenApiDocument, after: OpenApiDocument): BreakingChange[] {
  const documents = { before, after }
  const [old, next] = [before, after].map((document) => compileProduct(document, { whole: true }).operations)
  return (old ?? []).flatMap((operation) => {
    const operationName = nameOf(operation)
    const same = next?.find((other) => keyOf(other) === keyOf(operation))
    if (same === undefined) return [{ operation: operationName, detail: 'is gone' }]
    const changes = operationChanges({ before: operation, after: same }, documents)
    return changes.map((change) => ({ operation: operationName, ...change }))
  })
}

const keyOf = ({ method, template }: Operation) => `${method} ${template.shape}`
const nameOf = ({ method, template }: Operation) => `${method} ${template.text}`

type Change = Omit<BreakingChange, 'operation'>

function operationChanges(operations: Versions<Operation>, documents: Versions<OpenApiDocument>): Change[] {
  const { before, after } = operations
  // Agreements and settings name operations by their ids.
  const renamed =
    before.id === after.id ? [] : [{ detail: `its \`operationId\` is \`${after.id}\` now, was \`${before.id}\`` }]
  return [
    ...renamed,
    ...parameterChanges(operations, documents),
    ...bodyChanges(operations, documents),
    ...answerChanges(operations, documents),
  ]
}

function parameterChanges({ before, after }: Versions<Operation>, documents: Versions<OpenApiDocument>): Change[] {
  const next = allParameters(after)
  const find = ({ name, place }: Parameter, all: readonly Parameter[]) =>
    all.find((other) => other.name === name && other.place === place)
  // Parameters of the path are told apart by where they stand, not by their names.
  const old = allParameters(before).filter(({ place }) => place !== 'path')
  const changed = old.flatMap((parameter): Change[] => {
    const same = find(parameter, next)
    if (same === undefined) return [{ place: placeOf(parameter), detail: 'is gone' }]
    const list = parameter.list === same.list && parameter.delimiter === same.delimiter
    return [
      ...(same.required && !parameter.required ? [{ place: placeOf(parameter), detail: 'is required now' }] : []),
      ...(list
        ? []
        : [
            { place: placeOf(parameter), detail: 'is written another way: as a list or not, or with other separators' },
          ]),
      ...valueChanges({ before: parameter, after: same }, { before, after }, documents),
    ]
  })
  const inPath = before.pathParameters.flatMap((parameter, at): Change[] => {
    const same = after.pathParameters[at]
    return same === undefined ? [] : valueChanges({ before: parameter, after: same }, { before, after }, documents)
  })
  const added = next.filter(
    (parameter) => parameter.required && parameter.place !== 'path' && find(parameter, old) === undefined,
  )
  return [
    ...inPath,
    ...changed,
    ...added.map((parameter) => ({ place: placeOf(parameter), detail: 'is new and required' })),
  ]
}

const placeOf = ({ name, place }: Parameter) => `${place} parameter \`${name}\``

function valueChanges(
  parameters: Versions<Parameter>,
  operations: Versions<Operation>,
  documents: Versions<OpenApiDocument>,
): Change[] {
  const [old, next] = (['before', 'after'] as const).map((version) => {
    const { root } = documents[version]
    const schema = parameterSchema(root, operations[version], parameters[version])
    return schema && { root, schema }
  })
  if (old === undefined || next === undefined) return []
  return schemaChanges(old, next, 'request').map(({ detail }) => ({ place: placeOf(parameters.before), detail }))
}

function bodyChanges({ before, after }: Versions<Operation>, documents: Versions<OpenApiDocument>): Change[] {
  const [old, next] = [before.requestBody, after.requestBody]
  if (next === undefined) return old === undefined ? [] : [{ place: 'body', detail: 'is no longer taken' }]
  const required = next.required && old?.required !== true ? [{ place: 'body', detail: 'is required now' }] : []
  if (old === undefined) return required
  return [
    ...required,
    ...contentChanges({ before: old.contents, after: next.contents }, documents, {
      place: 'body',
      direction: 'request',
    }),
  ]
}

function answerChanges({ before, after }: Versions<Operation>, documents: Versions<OpenApiDocument>): Change[] {
  return [...before.answers].flatMap(([status, { contents }]): Change[] => {
    // Failures are for people to read.
    if (!status.startsWith('2') && status !== 'default') return []
    const same = after.answers.get(status)
    const place = `answer ${status}`
    if (same === undefined) return [{ place, detail: 'is gone' }]
    return contentChanges({ before: contents, after: same.contents }, documents, { place, direction: 'answer' })
  })
}

function contentChanges(
  { before, after }: Versions<Contents>,
  documents: Versions<OpenApiDocument>,
  { place, direction }: { readonly place: string; readonly direction: Direction },
): Change[] {
  return [...before].flatMap(([type, content]): Change[] => {
    const same = after.get(type)
    if (same === undefined) return [{ place, detail: `the content type \`${type}\` is gone` }]
    if (!('schema' in content) || !('schema' in same)) return []
    const [old, next] = [
      { root: documents.before.root, schema: content.schema },
      { root: documents.after.root, schema: same.schema },
    ]
    return schemaChanges(old, next, direction).map(({ pointer, detail }) => ({
      place: pointer === '' ? place : `${place} \`${pointer}\``,
      detail,
    }))
  })
}
