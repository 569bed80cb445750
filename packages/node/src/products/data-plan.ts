/** A product's labels held against its OpenAPI document: for each labelled operation what it does, where the rows of its
 *  answers are, and, where it is about a person, where its subject is. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import { stepsOf } from '@comity/core/minimisation/answer-path'
import type { RowLayout } from '@comity/core/minimisation/minimise'
import type { DataConfig, SettingsFault } from './data-config.ts'
import { labelsOf, type FieldLabel } from './field-labels.ts'
import type { JsonObject } from './openapi/openapi.ts'
import type { Located } from './openapi/references.ts'
import type { ContentCheck } from './contents.ts'
import type { Operation } from './operations.ts'
import type { Parameter } from './parameters.ts'
import { labelledFaults, type PersonalConfig, type SubjectPlace } from './personal-config.ts'
import { planSubject } from './personal-subject.ts'
import { presenceAt } from './schema-paths.ts'

/** One operation whose answers have labelled fields. */
export interface DataOperation {
  /** Undefined for products of other classes than `personal`, whose answers are about no one person. */
  readonly subject: SubjectPlace | undefined
  readonly action: ConsentAction
  readonly layout: RowLayout
  /** Labelled fields that the rows of its successes may have, by path. */
  readonly carries: readonly string[]
  /** The query parameter that lists the fields a call asks for, where the operation declares it. */
  readonly requestedFields: Parameter | undefined
  readonly forwardsRequestedFields: boolean
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
  readonly settings: {
    readonly class: string
    readonly personal?: PersonalConfig | undefined
    readonly data?: DataConfig | undefined
  }
  readonly operations: readonly Operation[]
}

/** The plan of a product, undefined for one without labels, and everything that is wrong with it. */
export function planData({ root, settings, operations }: ToPlan): {
  plan: DataPlan | undefined
  faults: readonly SettingsFault[]
} {
  const own = labelledFaults(settings)
  const section = sectionOf(settings)
  if (section === undefined || own.length > 0) return { plan: undefined, faults: own }
  const planning: Planning = { root, section, faults: [] }
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
  const schemas = successSchemas(operation)
  const isCarried = ({ path }: FieldLabel) => !isAbsent(root, schemas, [...stepsOf(rows), ...stepsOf(path)])
  return {
    subject,
    action: own?.action ?? actions[operation.method] ?? 'write',
    layout: {
      rows,
      date: own?.date ?? config.date,
      open: own?.open ?? (own?.rows === undefined ? config.open : []),
    },
    carries: labelsOf(config).flatMap((label) => (isCarried(label) ? [label.path] : [])),
    requestedFields:
      config.requestedFields === undefined ? undefined : operation.queryParameters.get(config.requestedFields),
    forwardsRequestedFields: config.forwardRequestedFields,
  }
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
function checkAnswers(planning: Planning, operation: Operation): void {
  for (const [status, { contents }] of successes(operation)) {
    for (const [type, content] of contents) {
      if (schemaOf(content) !== undefined) continue
      const path = statedFor(planning, operation) === undefined ? [] : ['operations', operation.id]
      const what = `the operation \`${operation.id}\` answers ${status} with \`${type}\``
      planning.faults.push({
        path,
        message: `${what}, of which nothing can be withheld; only JSON with a schema can be offered`,
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
    return planned === undefined ? [] : [{ operation, planned, schemas: successSchemas(operation) }]
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
        isAbsent(root, schemas, [...stepsOf(planned.layout.rows), ...stepsOf(path)]),
      )
      if (isNowhere) faults.push({ path: ['domains', domain, index], message: `no answer has a field \`${path}\`` })
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
