/** Where the operations of a personal product name their subject, held against the OpenAPI document. */
import type { ContentCheck } from '../operations/contents.ts'
import type { SettingsFault } from './data-config.ts'
import { stepsOfPointer } from '../operations/json-pointer.ts'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import type { Parameter } from '../operations/parameters.ts'
import { subjectPlaceOf, type PersonalConfig, type SubjectPlace } from './personal-config.ts'
import { isRequiredAt } from '../operations/schema-paths.ts'

/** The place for one operation, undefined when nothing says it, and what is wrong with it. */
export function planSubject(
  root: JsonObject,
  operation: Operation,
  config: PersonalConfig,
): { readonly subject: SubjectPlace | undefined; readonly faults: readonly SettingsFault[] } {
  const own = Object.hasOwn(config.operations, operation.id) ? config.operations[operation.id]?.subject : undefined
  const stated = own ?? config.subject
  const path = own === undefined ? ['subject'] : ['operations', operation.id, 'subject']
  if (stated === undefined) {
    const message = `does not say where \`${operation.id}\` names its subject; one about nobody goes to \`withoutSubject\``
    return { subject: undefined, faults: [{ path, message }] }
  }
  const subject = subjectPlaceOf(stated)
  const wrong = subjectFault(root, operation, subject)
  const faults = wrong === undefined ? [] : [{ path, message: `the operation \`${operation.id}\` ${wrong}` }]
  return { subject, faults }
}

/** The parameter that names the subject, as an operation declares it. */
export function subjectParameter(
  operation: Operation,
  { in: place, name }: Extract<SubjectPlace, { name: string }>,
): Parameter | undefined {
  return place === 'query'
    ? operation.queryParameters.get(name)
    : operation.pathParameters.find((parameter) => parameter.name === name)
}

function subjectFault(root: JsonObject, operation: Operation, subject: SubjectPlace): string | undefined {
  if (subject.in === 'body') return bodyFault(root, operation, stepsOfPointer(subject.pointer))
  const parameter = subjectParameter(operation, subject)
  if (parameter === undefined) return `has no ${subject.in} parameter \`${subject.name}\``
  if (!parameter.required) return `does not require its parameter \`${subject.name}\``
  return parameter.list ? `takes a list as \`${subject.name}\`, which may name several people` : undefined
}

function bodyFault(root: JsonObject, { requestBody }: Operation, names: readonly string[]): string | undefined {
  if (requestBody === undefined || !requestBody.required) return 'does not require a body'
  const contents = [...requestBody.contents.values()]
  if (!contents.every(isJsonWithSchema)) return 'takes bodies that are not JSON with a schema'
  const isCertain = contents.every(({ schema }) => isRequiredAt(root, schema, names))
  return isCertain ? undefined : `does not require \`/${names.join('/')}\` in its body`
}

function isJsonWithSchema(content: ContentCheck): content is Extract<ContentCheck, { kind: 'json' }> {
  return content.kind === 'json'
}
