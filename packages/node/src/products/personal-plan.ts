/** A personal product's settings held against its OpenAPI document: for each operation that is about a person, where
 *  its subject is, what it does, and where the rows of its answers are. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import { stepsOf } from '@comity/core/minimisation/answer-path'
import type { RowLayout } from '@comity/core/minimisation/minimise'
import { stepsOfPointer } from './json-pointer.ts'
import type { JsonObject } from './openapi/openapi.ts'
import type { Located } from './openapi/references.ts'
import type { ContentCheck } from './contents.ts'
import type { Operation } from './operations.ts'
import type { Parameter } from './parameters.ts'
import {
  personalFaults,
  subjectPlaceOf,
  type PersonalConfig,
  type SettingsFault,
  type SubjectPlace,
} from './personal-config.ts'
import { isRequiredAt, presenceAt } from './schema-paths.ts'

/** A field of the product's rows and the domain its data belong to. */
export interface FieldLabel {
  readonly path: string
  readonly domain: string
}

/** One operation about a person. */
export interface PersonalOperation {
  readonly subject: SubjectPlace
  readonly action: ConsentAction
  readonly layout: RowLayout
  /** Labelled fields that the rows of its successes may have, by path. */
  readonly carries: readonly string[]
  /** The query parameter that lists the fields a call asks for, where the operation declares it. */
  readonly requestedFields: Parameter | undefined
  readonly forwardsRequestedFields: boolean
}

export interface PersonalPlan {
  /** In the order of the configuration. */
  readonly labels: readonly FieldLabel[]
  /** By operation id; an operation that is not here is about nobody. */
  readonly operations: ReadonlyMap<string, PersonalOperation>
}

interface Planning {
  readonly root: JsonObject
  readonly config: PersonalConfig
  readonly faults: SettingsFault[]
}

export interface ToPlan {
  readonly root: JsonObject
  readonly settings: { readonly class: string; readonly personal?: PersonalConfig | undefined }
  readonly operations: readonly Operation[]
}

/** The plan of a product, undefined for one of another class, and everything that is wrong with it. */
export function planPersonal({ root, settings, operations }: ToPlan): {
  plan: PersonalPlan | undefined
  faults: readonly SettingsFault[]
} {
  const own = personalFaults(settings)
  const { personal: config } = settings
  if (config === undefined || own.length > 0) return { plan: undefined, faults: own }
  const planning: Planning = { root, config, faults: [] }
  checkNames(planning, operations)
  const about = operations.filter(({ id }) => !config.withoutSubject.includes(id))
  const planned = about.flatMap((operation): [string, PersonalOperation][] => {
    const one = planOperation(planning, operation)
    return one === undefined ? [] : [[operation.id, one]]
  })
  const plan = { labels: labelsOf(config), operations: new Map(planned) }
  if (planning.faults.length === 0) checkWhole(planning, { about, plan })
  return { plan, faults: planning.faults.map(({ path, message }) => ({ path: ['personal', ...path], message })) }
}

function labelsOf({ domains }: PersonalConfig): FieldLabel[] {
  return Object.entries(domains).flatMap(([domain, paths]) => paths.map((path) => ({ path, domain })))
}

/** What the settings say of one operation. */
function statedFor({ operations }: PersonalConfig, { id }: Operation) {
  return Object.hasOwn(operations, id) ? operations[id] : undefined
}

function checkNames({ config, faults }: Planning, operations: readonly Operation[]): void {
  const ids = new Set(operations.map(({ id }) => id))
  const named = [
    ...Object.keys(config.operations).map((id) => ({ id, path: ['operations', id] })),
    ...config.withoutSubject.map((id, index) => ({ id, path: ['withoutSubject', index] })),
  ]
  for (const { id, path } of named) {
    if (!ids.has(id)) faults.push({ path, message: `the OpenAPI document has no operation \`${id}\`` })
  }
}

const actions: Readonly<Record<string, ConsentAction>> = {
  GET: 'read',
  HEAD: 'read',
  OPTIONS: 'read',
  DELETE: 'delete',
}

function planOperation(planning: Planning, operation: Operation): PersonalOperation | undefined {
  const { config, faults } = planning
  const own = statedFor(config, operation)
  const stated = own?.subject ?? config.subject
  const path = own?.subject === undefined ? ['subject'] : ['operations', operation.id, 'subject']
  checkAnswers(planning, operation)
  if (stated === undefined) {
    const message = `does not say where \`${operation.id}\` names its subject; one about nobody goes to \`withoutSubject\``
    faults.push({ path, message })
    return undefined
  }
  const subject = subjectPlaceOf(stated)
  const wrong = subjectFault(planning.root, operation, subject)
  if (wrong !== undefined) faults.push({ path, message: `the operation \`${operation.id}\` ${wrong}` })
  const requested = config.requestedFields
  const rows = own?.rows ?? config.rows
  const schemas = successSchemas(operation)
  const inRows = (field: string) => [...stepsOf(rows), ...stepsOf(field)]
  return {
    subject,
    action: own?.action ?? actions[operation.method] ?? 'write',
    layout: {
      rows,
      date: own?.date ?? config.date,
      open: own?.open ?? (own?.rows === undefined ? config.open : []),
    },
    carries: labelsOf(config).flatMap(({ path: of }) => (isAbsent(planning.root, schemas, inRows(of)) ? [] : [of])),
    requestedFields: requested === undefined ? undefined : operation.queryParameters.get(requested),
    forwardsRequestedFields: config.forwardRequestedFields,
  }
}

/** The parameter that names the subject, as an operation declares it. */
export function subjectParameter(operation: Operation, { in: place, name }: SubjectPlace & { name: string }) {
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
  const contents = [...requestBody.contents.values()].map(schemaOf)
  if (contents.some((schema) => schema === undefined)) return 'takes bodies that are not JSON with a schema'
  const isCertain = contents.every((schema) => schema !== undefined && isRequiredAt(root, schema, names))
  return isCertain ? undefined : `does not require \`/${names.join('/')}\` in its body`
}

function schemaOf(content: ContentCheck): Located | undefined {
  return content.kind === 'json' ? content.schema : undefined
}

/** What is declared of successes: `default` counts only where nothing else is said of them. */
function successes({ answers }: Operation) {
  const stated = [...answers].filter(([status]) => status.startsWith('2'))
  return stated.length > 0 ? stated : [...answers].filter(([status]) => status === 'default')
}

/** Only JSON can be taken apart, so only JSON may be declared. */
function checkAnswers({ config, faults }: Planning, operation: Operation): void {
  for (const [status, { contents }] of successes(operation)) {
    for (const [type, content] of contents) {
      if (schemaOf(content) !== undefined) continue
      const path = statedFor(config, operation) === undefined ? [] : ['operations', operation.id]
      const what = `the operation \`${operation.id}\` answers ${status} with \`${type}\``
      faults.push({
        path,
        message: `${what}, of which nothing can be withheld; only JSON with a schema can be offered`,
      })
    }
  }
}

interface WholePlan {
  readonly about: readonly Operation[]
  readonly plan: PersonalPlan
}

function checkWhole(planning: Planning, { about, plan }: WholePlan): void {
  const { root, config, faults } = planning
  const answers = about.flatMap((operation) => {
    const planned = plan.operations.get(operation.id)
    return planned === undefined ? [] : [{ operation, planned, schemas: successSchemas(operation) }]
  })
  for (const { operation, planned, schemas } of answers) {
    for (const { path, message } of layoutFaults(root, schemas, planned.layout)) {
      const where = statedFor(config, operation)?.[path] === undefined ? [path] : ['operations', operation.id, path]
      faults.push({ path: where, message: `${message} in the answers of \`${operation.id}\`` })
    }
  }
  for (const [domain, paths] of Object.entries(config.domains)) {
    for (const [index, path] of paths.entries()) {
      const isNowhere = answers.every(({ planned, schemas }) =>
        isAbsent(root, schemas, [...stepsOf(planned.layout.rows), ...stepsOf(path)]),
      )
      if (isNowhere) faults.push({ path: ['domains', domain, index], message: `no answer has a field \`${path}\`` })
    }
  }
  checkRequestedFields(planning, answers)
}

function checkRequestedFields({ config, faults }: Planning, answers: readonly { planned: PersonalOperation }[]): void {
  const { requestedFields: name } = config
  if (name === undefined) return
  const declared = answers.flatMap(({ planned }) => planned.requestedFields ?? [])
  if (declared.length === 0) {
    faults.push({ path: ['requestedFields'], message: `no operation has a query parameter \`${name}\`` })
  }
  if (declared.some(({ list, delimiter }) => list && delimiter !== ',')) {
    const message = 'must be one text or a list with commas (`style: form`, `explode: false`)'
    faults.push({ path: ['requestedFields'], message })
  }
}

function successSchemas(operation: Operation): Located[] {
  return successes(operation).flatMap(([, { contents }]) =>
    [...contents.values()].flatMap((content) => schemaOf(content) ?? []),
  )
}

/** True when no answer can have something there. */
function isAbsent(root: JsonObject, schemas: readonly Located[], steps: readonly string[]): boolean {
  return schemas.every((schema) => presenceAt(root, schema, steps) === 'no')
}

function layoutFaults(root: JsonObject, schemas: readonly Located[], { rows, date, open }: RowLayout) {
  const faults: { path: 'rows' | 'date' | 'open'; message: string }[] = []
  if (schemas.length === 0) return faults
  const rowSteps = stepsOf(rows)
  if (isAbsent(root, schemas, rowSteps)) {
    faults.push({ path: 'rows', message: `there is nothing at \`${rows}\`` })
  } else if (date !== undefined && isAbsent(root, schemas, [...rowSteps, ...stepsOf(date)])) {
    faults.push({ path: 'date', message: `rows have no field \`${date}\`` })
  }
  for (const path of open) {
    if (isAbsent(root, schemas, stepsOf(path))) faults.push({ path: 'open', message: `there is no \`${path}\`` })
  }
  return faults
}
