/** What the bodies of an operation that changes may write, held against the OpenAPI document: a member without a label is
 *  not written, just as it would not be answered. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import { statedChange, type WrittenRow } from '@comity/core/consent/decide-change'
import { coversField } from '@comity/core/consent/field-path'
import { eachElement, stepsOf } from '@comity/core/minimisation/answer-path'
import { bodyLayout, type BodyLayout } from '@comity/core/minimisation/written-fields'
import type { DataConfig, SettingsFault } from './data-config.ts'
import type { FieldLabel } from './field-labels.ts'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Located } from '../openapi/references.ts'
import { stepsOfPointer } from '../operations/json-pointer.ts'
import type { Operation } from '../operations/operations.ts'
import { presenceAt, requiredNames, schemasAt } from '../operations/schema-paths.ts'
import type { SubjectPlace } from './personal-config.ts'

/** How it is told what a call of an operation changes. */
export type ChangePlan =
  | { readonly kind: 'body'; readonly layout: BodyLayout }
  /** Every call changes the same. */
  | { readonly kind: 'stated'; readonly row: WrittenRow }

const changing: ReadonlySet<ConsentAction> = new Set(['write', 'append', 'delete'])

/** What the plan is made of. */
export interface ToPlanChange {
  readonly root: JsonObject
  readonly operation: Operation
  readonly action: ConsentAction
  readonly labels: readonly FieldLabel[]
  readonly stated: Pick<DataConfig['operations'][string], 'body' | 'changes'> | undefined
  readonly subject: SubjectPlace | undefined
}

/** The plan of one operation, undefined for one that changes nothing; and what is wrong, each with the path of its
 *  setting below the operation's. */
export function planChange(given: ToPlanChange): {
  readonly plan: ChangePlan | undefined
  readonly faults: readonly SettingsFault[]
} {
  const { action, labels, stated = {}, operation } = given
  if (!changing.has(action)) return { plan: undefined, faults: aimless(stated, `\`${operation.id}\` changes nothing`) }
  if (stated.changes !== undefined) {
    const faults = [
      ...(stated.body === undefined ? [] : [{ path: ['body'], message: 'does not go with `changes`' }]),
      ...stated.changes.flatMap((field, index) =>
        labels.some(({ path }) => coversField(path, field) || coversField(field, path))
          ? []
          : [{ path: ['changes', index], message: `no domain has a field \`${field}\`` }],
      ),
    ]
    return { plan: { kind: 'stated', row: statedChange(stated.changes, labels) }, faults }
  }
  return planBody(given)
}

/** True when calls of the operation may write the field. */
export function mayWrite(
  root: JsonObject,
  { requestBody }: Operation,
  { planned, field }: { readonly planned: { readonly change: ChangePlan | undefined }; readonly field: string },
): boolean {
  const { change } = planned
  if (change === undefined) return false
  if (change.kind === 'stated') return change.row.fields.some((each) => coversField(field, each))
  return [...(requestBody?.contents.values() ?? [])].some((content) => {
    if (content.kind !== 'json' && content.kind !== 'rows') return false
    const rows = content.kind === 'json' ? change.layout.rows : []
    return presenceAt(root, content.schema, [...rows, ...stepsOf(field)]) !== 'no'
  })
}

function aimless(stated: object, why: string): SettingsFault[] {
  return (['body', 'changes'] as const).flatMap((name) =>
    Object.hasOwn(stated, name) && (stated as Record<string, unknown>)[name] !== undefined
      ? [{ path: [name], message: `has no meaning where ${why}` }]
      : [],
  )
}

function planBody({ root, operation, labels, stated = {}, subject }: ToPlanChange) {
  const { rows = '', open = [] } = stated.body ?? {}
  const isTold = (name: string) => /^[^.[\]]{1,128}$/.test(name) && operation.declared().has(name)
  const named = subject?.in === 'body' ? stepsOfPointer(subject.pointer) : undefined
  // Whom the call is about is the node's own to write.
  const isPath = named?.every((name) => /^[^.[\]]{1,128}$/.test(name)) === true
  const own = isPath && named !== undefined ? [named.join('.')] : []
  const plan: ChangePlan = { kind: 'body', layout: bodyLayout({ rows, open: [...open, ...own] }, labels, isTold) }
  const contents = [...(operation.requestBody?.contents ?? [])]
  if (contents.length === 0) return { plan, faults: aimless(stated, `\`${operation.id}\` takes no body`) }
  const opaque = contents.flatMap(([type, content]) => (isJudged(content) ? [] : [type]))
  const [type] = opaque
  if (type !== undefined) {
    const what = `the operation \`${operation.id}\` takes \`${type}\`, of which no member can be judged`
    return { plan, faults: [{ path: [], message: `${what}: say in \`changes\` what its calls change` }] }
  }
  const faults = contents.flatMap(([, content]) =>
    content.kind === 'json' || content.kind === 'rows'
      ? bodyFaults(root, { schema: content.schema, rows: content.kind === 'rows' ? '' : rows, open, plan, operation })
      : [],
  )
  return { plan, faults: [...labelledOpen(rows, open, labels), ...faults] }
}

/** Cells of a table that are empty may clear a field or leave it: nobody knows but the upstream. */
function isJudged(content: { readonly kind: string; readonly format?: string }): boolean {
  return content.kind === 'json' || (content.kind === 'rows' && content.format === 'ndjson')
}

interface Body {
  readonly schema: Located
  readonly rows: string
  readonly open: readonly string[]
  readonly plan: ChangePlan & { readonly kind: 'body' }
  readonly operation: Operation
}

function bodyFaults(root: JsonObject, { schema, rows, open, plan, operation }: Body): SettingsFault[] {
  const where = `in the body of \`${operation.id}\``
  const isNowhere = (path: string) => presenceAt(root, schema, stepsOf(path)) === 'no'
  if (isNowhere(rows)) return [{ path: ['body', 'rows'], message: `there is nothing at \`${rows}\` ${where}` }]
  const absent = open.flatMap((path, index) =>
    isNowhere(path) ? [{ path: ['body', 'open', index], message: `there is no \`${path}\` ${where}` }] : [],
  )
  return [...absent, ...neverWritable(root, { schema, rows, plan, operation })]
}

/** A body that must have what must not be written can never be sent. */
function neverWritable(root: JsonObject, { schema, rows, plan, operation }: Omit<Body, 'open'>): SettingsFault[] {
  const steps = stepsOf(rows)
  const open = steps.reduce(
    (place: typeof plan.layout.open | undefined, step) =>
      step === eachElement ? place?.elements : place?.members.get(step),
    plan.layout.open,
  )
  const needed = schemasAt(root, schema, steps).flatMap((row) => [...requiredNames(root, row)])
  return [...new Set(needed)]
    .filter((name) => plan.layout.inRows.members.get(name) === undefined && open?.members.get(name) === undefined)
    .map((name) => ({
      path: [],
      message: `the body of \`${operation.id}\` must have \`${name}\`, which has no label: give it one, or name it in \`body.open\``,
    }))
}

/** What is open is written without being asked about: it must not be where labelled data is. */
function labelledOpen(rows: string, open: readonly string[], labels: readonly FieldLabel[]): SettingsFault[] {
  const labelled = rows === '' ? labels.map(({ path }) => path) : [rows]
  return open.flatMap((path, index) => {
    const met = labelled.find((each) => coversField(each, path) || coversField(path, each))
    if (met === undefined) return []
    return [{ path: ['body', 'open', index], message: `the open path \`${path}\` and \`${met}\` lie in each other` }]
  })
}
