/** What of a new version of a product breaks those who call the old one. */
import type { OpenApiDocument } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import type { Parameter } from '../operations/parameters.ts'
import { compileProduct } from '../product.ts'
import type { BreakingChange, Change, Versions } from './breaking-change.ts'
import { allParameters, parameterSchema } from './document-examples.ts'
import { answerChanges, bodyChanges } from './content-changes.ts'
import { schemaChanges } from './schema-changes.ts'

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
