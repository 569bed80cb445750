/** A product's labels held against its OpenAPI document: for each labelled operation what it does, where the rows of its
 *  answers are, and, where it is about a person, where its subject is. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { RowLayout } from '@comity/core/minimisation/minimise'
import { mayWrite, planChange, type ChangePlan } from './change-plan.ts'
import type { DataConfig, SettingsFault } from './data-config.ts'
import { labelsOf, type FieldLabel } from './field-labels.ts'
import type { JsonObject } from '../openapi/openapi.ts'
import type { ContentCheck, RowsContent } from '../operations/contents.ts'
import { planJsonStream, type JsonStream } from '../rows/json-stream.ts'
import type { SchemaCompiler } from '../schemas/schema-compiler.ts'
import type { Operation } from '../operations/operations.ts'
import type { Parameter } from '../operations/parameters.ts'
import { labelledFaults, type PersonalConfig, type SubjectPlace } from './personal-config.ts'
import { planSubject } from './personal-subject.ts'
import { answerSchemas, isAbsent, layoutFaults, schemaOf, successes } from './answer-schemas.ts'
import type { UpstreamQuery } from './upstream-query.ts'

/** One operation whose answers have labelled fields. */
export interface DataOperation {
  /** Undefined for products of other classes than `personal`, whose answers are about no one person. */
  readonly subject: SubjectPlace | undefined
  readonly action: ConsentAction
  /** How it is told what a call changes; undefined for an operation that changes nothing. */
  readonly change: ChangePlan | undefined
  readonly layout: RowLayout
  /** Labels of the fields that the rows of its successes may have, in the product's order; the same list from call to
   *  call. */
  readonly carries: readonly FieldLabel[]
  /** False for a field that the rows of its successes cannot have; true of all where it has no successes with rows. */
  readonly mayAnswer: (field: string) => boolean
  /** The query parameter that lists the fields a call asks for, where the operation declares it. */
  readonly requestedFields: Parameter | undefined
  readonly forwardsRequestedFields: boolean
  /** How the upstream is asked for what is released; undefined when it is asked for everything. */
  readonly upstream: UpstreamQuery | undefined
  /** The contents that leave row by row while they arrive; undefined when none does. */
  readonly streams: ReadonlyMap<ContentCheck, JsonStream | RowsContent> | undefined
}

/** The plan of a product with labels. */
export interface DataPlan {
  /** In the order of the configuration. */
  readonly labels: readonly FieldLabel[]
  /** By operation id; the answers of an operation that is not here leave whole. */
  readonly operations: ReadonlyMap<string, DataOperation>
}

interface Planning {
  readonly root: JsonObject
  readonly compiler: SchemaCompiler
  readonly section: Section
  readonly faults: SettingsFault[]
}

/** The section that a product's class has, with the list of operations that it says nothing about. */
interface Section {
  readonly config: DataConfig | PersonalConfig
  readonly personal: PersonalConfig | undefined
  readonly exempt: { readonly name: 'withoutSubject' | 'withoutData'; readonly ids: readonly string[] }
}

export interface ToPlan {
  readonly root: JsonObject
  readonly compiler: SchemaCompiler
  readonly settings: {
    readonly class: string
    readonly personal?: PersonalConfig | undefined
    readonly data?: DataConfig | undefined
  }
  readonly operations: readonly Operation[]
}

/** The plan of a product, undefined for one without labels, and everything that is wrong with it. */
export function planData({ root, compiler, settings, operations }: ToPlan): {
  plan: DataPlan | undefined
  faults: readonly SettingsFault[]
} {
  const own = labelledFaults(settings)
  const section = sectionOf(settings)
  if (section === undefined || own.length > 0) return { plan: undefined, faults: own }
  const planning: Planning = { root, compiler, section, faults: [] }
  checkNames(planning, operations)
  const about = operations.filter(({ id }) => !section.exempt.ids.includes(id))
  const planned = about.flatMap((operation): [string, DataOperation][] => {
    const one = planOperation(planning, operation)
    return one === undefined ? [] : [[operation.id, one]]
  })
  const plan = { labels: labelsOf(section.config), operations: new Map(planned) }
  if (planning.faults.length === 0) checkWhole(planning, { about, plan })
  const name = section.personal === undefined ? 'data' : 'personal'
  return { plan, faults: planning.faults.map(({ path, message }) => ({ path: [name, ...path], message })) }
}

function sectionOf({ personal, data }: ToPlan['settings']): Section | undefined {
  if (personal !== undefined) {
    return { config: personal, personal, exempt: { name: 'withoutSubject', ids: personal.withoutSubject } }
  }
  if (data === undefined) return undefined
  return { config: data, personal, exempt: { name: 'withoutData', ids: data.withoutData } }
}

/** What the settings say of one operation. */
function statedFor({ section }: Planning, { id }: Operation) {
  const { operations } = section.config
  return Object.hasOwn(operations, id) ? operations[id] : undefined
}

function checkNames({ section: { config, exempt }, faults }: Planning, operations: readonly Operation[]): void {
  const ids = new Set(operations.map(({ id }) => id))
  const named = [
    ...Object.keys(config.operations).map((id) => ({ id, path: ['operations', id] })),
    ...exempt.ids.map((id, index) => ({ id, path: [exempt.name, index] })),
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

function planOperation(planning: Planning, operation: Operation): DataOperation | undefined {
  const { root, section, faults } = planning
  const { config, personal } = section
  checkAnswers(planning, operation)
  let subject: SubjectPlace | undefined
  if (personal !== undefined) {
    const found = planSubject(root, operation, personal)
    faults.push(...found.faults)
    if (found.subject === undefined) return undefined
    subject = found.subject
  }
  const own = statedFor(planning, operation)
  const rows = own?.rows ?? config.rows
  const schemas = answerSchemas(operation)
  const mayAnswer = (field: string) => schemas.length === 0 || !isAbsent(root, schemas, { rows, field })
  const isCarried = ({ path }: FieldLabel) => !isAbsent(root, schemas, { rows, field: path })
  const action = own?.action ?? actions[operation.method] ?? 'write'
  return {
    subject,
    action,
    change: changeOf(planning, { operation, action, subject }),
    layout: {
      rows,
      date: own?.date ?? config.date,
      open: own?.open ?? (own?.rows === undefined ? config.open : []),
    },
    carries: labelsOf(config).filter(isCarried),
    mayAnswer,
    requestedFields:
      config.requestedFields === undefined ? undefined : operation.queryParameters.get(config.requestedFields),
    forwardsRequestedFields: config.forwardRequestedFields,
    upstream: upstreamOf(config, operation),
    streams: own?.stream === true ? planStreams(planning, operation, rows) : undefined,
  }
}

function changeOf(
  planning: Planning,
  given: { readonly operation: Operation; readonly action: ConsentAction; readonly subject: SubjectPlace | undefined },
): ChangePlan | undefined {
  const { root, section, faults } = planning
  const { operation } = given
  const stated = statedFor(planning, operation)
  const { plan, faults: found } = planChange({ ...given, root, labels: labelsOf(section.config), stated })
  for (const { path, message } of found) {
    const isStated = stated !== undefined
    faults.push({ path: isStated ? ['operations', operation.id, ...path] : [], message })
  }
  return plan
}

function planStreams(planning: Planning, operation: Operation, rows: string): DataOperation['streams'] {
  const fail = (message: string) =>
    planning.faults.push({
      path: ['operations', operation.id, 'stream'],
      message: `the operation \`${operation.id}\` ${message}`,
    })
  if (operation.method !== 'GET') fail('is no `GET`: only what can be read again is streamed')
  const streams = new Map<ContentCheck, JsonStream | RowsContent>()
  for (const [, { contents }] of successes(operation)) {
    for (const content of contents.values()) {
      if (content.kind === 'rows') streams.set(content, content)
      if (content.kind !== 'json') continue
      const { stream, fault } = planJsonStream(planning, content.schema, rows)
      if (fault === undefined) streams.set(content, stream)
      else fail(fault)
    }
  }
  return streams
}

/** Only reads take parameters that the document does not declare. */
function upstreamOf(config: DataConfig | PersonalConfig, { method, queryParameters }: Operation) {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const { upstreamQuery, requestedFields = '' } = config
  if (!config.forwardReleasedFields || !queryParameters.has(requestedFields)) return upstreamQuery
  return { filters: {}, ...upstreamQuery, fields: { parameter: requestedFields, separator: ',' as const } }
}

/** Only what can be taken apart may be declared. */
function checkAnswers(planning: Planning, operation: Operation): void {
  for (const [status, { contents }] of successes(operation)) {
    for (const [type, content] of contents) {
      if (schemaOf(content) !== undefined) continue
      const path = statedFor(planning, operation) === undefined ? [] : ['operations', operation.id]
      const what = `the operation \`${operation.id}\` answers ${status} with \`${type}\``
      planning.faults.push({
        path,
        message: `${what}, of which nothing can be withheld; only JSON, NDJSON and CSV with a schema can be offered`,
      })
    }
  }
}

interface WholePlan {
  readonly about: readonly Operation[]
  readonly plan: DataPlan
}

function checkWhole(planning: Planning, { about, plan }: WholePlan): void {
  const { root, section, faults } = planning
  const answers = about.flatMap((operation) => {
    const planned = plan.operations.get(operation.id)
    return planned === undefined ? [] : [{ operation, planned, schemas: answerSchemas(operation) }]
  })
  for (const { operation, planned, schemas } of answers) {
    for (const { path, message } of layoutFaults(root, schemas, planned.layout)) {
      const where = statedFor(planning, operation)?.[path] === undefined ? [path] : ['operations', operation.id, path]
      faults.push({ path: where, message: `${message} in the answers of \`${operation.id}\`` })
    }
  }
  for (const [domain, paths] of Object.entries(section.config.domains)) {
    for (const [index, path] of paths.entries()) {
      const isNowhere = answers.every(({ planned, schemas }) =>
        isAbsent(root, schemas, { rows: planned.layout.rows, field: path }),
      )
      const isWritten = answers.some(({ operation, planned }) => mayWrite(root, operation, { planned, field: path }))
      if (!isNowhere || isWritten) continue
      faults.push({ path: ['domains', domain, index], message: `no answer has a field \`${path}\`` })
    }
  }
  checkRequestedFields(planning, answers)
}

function checkRequestedFields({ section, faults }: Planning, answers: readonly { planned: DataOperation }[]): void {
  const { requestedFields: name } = section.config
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
