/** What a call to a product with labels asks for. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { Change } from '@comity/core/consent/decide-change'
import { stepsOf } from '@comity/core/minimisation/answer-path'
import { conditionsOf, satisfies } from '@comity/core/minimisation/row-conditions'
import { coversField, isFieldPath } from '@comity/core/consent/field-path'
import {
  writtenFields,
  writtenFieldsOfRows,
  type BodyLayout,
  type WrittenFields,
} from '@comity/core/minimisation/written-fields'
import type { DataOperation } from './data-plan.ts'
import type { FieldLabel } from './field-labels.ts'
import { invalidBody, invalidParameters, type CheckedRequest } from '../operations/request-check.ts'

/** Which labelled fields a call is about. */
export interface DataCall {
  /** Labels of the fields that the operation's answers may have; all of the product where they have none. The same list
   *  from call to call. */
  readonly labels: readonly FieldLabel[]
  /** False for an operation whose answers have no labelled field. */
  readonly answersFields: boolean
  /** Field paths that the call asks for, each touching a label; undefined for all. */
  readonly requested: readonly string[] | undefined
  readonly action: ConsentAction
  /** What the call changes; undefined for one that changes nothing. */
  readonly change: Change<FieldLabel> | undefined
}

const maxRequestedFields = 64

/** Reads a checked request. Throws `invalid-body` when it writes a member that no label covers: nobody could have let it,
 *  and no answer would have it either. Throws `invalid-parameters` when a field is asked for that the operation's answers do not
 *  have: a call is judged by what it asks for, so it must not ask for nothing. */
export function readDataCall(checked: CheckedRequest, planned: DataOperation, labels: readonly FieldLabel[]): DataCall {
  const { action, carries } = planned
  const answersFields = carries.length > 0
  const own = answersFields ? carries : labels
  const requested = requestedFields(checked, planned, own)
  return { labels: own, answersFields, requested, action, change: changeOf(checked, planned, labels) }
}

function changeOf(
  checked: CheckedRequest,
  planned: DataOperation,
  labels: readonly FieldLabel[],
): Change<FieldLabel> | undefined {
  const { change, layout } = planned
  if (change === undefined) return undefined
  const written = change.kind === 'stated' ? { rows: [change.row], unlabelled: [] } : writtenBy(checked, change.layout)
  const [pointer] = written.unlabelled
  if (pointer !== undefined) throw invalidBody({ pointer, detail: 'has no label, so no call may write it' })
  const date = layout.date === undefined ? undefined : stepsOf(layout.date)
  return { rows: written.rows, labels, satisfies: (row, part) => satisfies(row, conditionsOf(part), date) }
}

function writtenBy({ body, content, rows }: CheckedRequest, layout: BodyLayout): WrittenFields {
  if (rows !== undefined) return writtenFieldsOfRows(rows, layout)
  return content === undefined ? { rows: [], unlabelled: [] } : writtenFields(body, layout)
}

function requestedFields(
  { texts }: CheckedRequest,
  { requestedFields: parameter, mayAnswer }: DataOperation,
  labels: readonly FieldLabel[],
): readonly string[] | undefined {
  const sent = parameter === undefined ? undefined : texts.query.get(parameter.name)
  if (parameter === undefined || sent === undefined) return undefined
  const fields = new Set((parameter.list ? sent : (sent[0] ?? '').split(',')).map((field) => field.trim()))
  const refuse = (detail: string) => invalidParameters([{ parameter: parameter.name, in: 'query', detail }])
  if (fields.size > maxRequestedFields) throw refuse('names too many fields')
  const isKnown = (field: string) => isFieldPath(field) && touchesAny(labels, field) && mayAnswer(field)
  const unknown = [...fields].find((field) => !isKnown(field))
  if (unknown === undefined && fields.size > 0) return [...fields]
  if (unknown === undefined || unknown === '') throw refuse('names no field')
  throw refuse(`names \`${unknown.slice(0, 64)}\`, which the operation does not answer`)
}

function touchesAny(labels: readonly FieldLabel[], field: string): boolean {
  return labels.some(({ path }) => coversField(path, field) || coversField(field, path))
}
