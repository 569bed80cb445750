/** What leaves of an answer with labelled fields: what was released of its body, and of its fields only those that say
 *  nothing of what was in it. */
import { writeExactJson } from '@comity/core/bytes/exact-json'
import type { Release } from '@comity/core/consent/release'
import { minimise, type RowLayout } from '@comity/core/minimisation/minimise'
import { TooManyGroups } from '@comity/core/minimisation/row-groups'
import type { TransformMeans } from '@comity/core/minimisation/transforms'
import { brokenRows, checkAnswer, declaredContent, fieldOf, type AnswerVerdict } from '../operations/answer-check.ts'
import type { RowsContent } from '../operations/contents.ts'
import { openReleasedRows, passRows } from '../rows/row-answer.ts'
import { readMediaType } from '../operations/media-types.ts'
import type { Operation } from '../operations/operations.ts'
import { neutralValue } from './neutral-fields.ts'
import type { DataOperation } from './data-plan.ts'
import type { SeenAnswers } from './unlabelled-watch.ts'

/** What is released of an answer, and with what values are changed on their way. */
export interface ReleaseToApply {
  readonly release: Release
  readonly means: TransformMeans
}

/** An answer's release, and what looks at the answer before. */
export interface WatchedRelease extends ReleaseToApply {
  readonly seen?: SeenAnswers | undefined
}

/** Names (lower case) and values alternate in `headers`. */
export interface JudgedAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Uint8Array
}

const generalFields = ['cache-control', 'expires', 'deprecation', 'sunset']

/** Fields of a request that would make the upstream's answer depend on what was not released. */
export const conditionalFields = new Set(['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'])

const noBytes = new Uint8Array(0)

/** Why an answer cannot leave, for the operator's log. */
export type DataVerdict =
  { readonly allowed: true; readonly answer: JudgedAnswer } | Extract<AnswerVerdict, { allowed: false }>

/** Judges an answer by its schema, then minimises it. Of one that is no success only the status leaves. */
export function minimiseAnswer(
  operation: Operation,
  planned: DataOperation,
  work: WatchedRelease & { readonly answer: JudgedAnswer },
): DataVerdict {
  const { answer, release, means, seen } = work
  const { layout } = planned
  const { status, headers, body } = answer
  if (status < 200 || status > 299) return statusOnly(operation, status)
  const content = declaredContent(operation, { status, contentType: fieldOf(headers, 'content-type') })
  if (content?.kind === 'rows' && operation.method !== 'HEAD') return minimiseRows(content, layout, work)
  const verdict = checkAnswer(operation, { status, contentType: fieldOf(headers, 'content-type'), body })
  if (!verdict.allowed) return verdict
  if (body.byteLength === 0 || verdict.release === 'head') return leaves(status, kept(headers, generalFields), noBytes)
  if (verdict.json === undefined) return { allowed: false, errors: [{ pointer: '', detail: 'the body is not JSON' }] }
  seen?.answer(verdict.json.value)
  const released = minimiseJson(verdict.json.value, release, { layout, means })
  return released === undefined
    ? { allowed: false, errors: [{ pointer: '', detail: 'its rows fall into too many groups (`too-many-groups`)' }] }
    : leaves(status, contentFields(headers), released)
}

function minimiseJson(
  value: unknown,
  release: Release,
  context: { readonly layout: RowLayout; readonly means: TransformMeans },
): Buffer | undefined {
  try {
    return Buffer.from(writeExactJson(minimise(value, release, context)), 'utf8')
  } catch (error) {
    if (error instanceof TooManyGroups) return undefined
    throw error
  }
}

function minimiseRows(
  content: RowsContent,
  layout: RowLayout,
  { answer: { status, headers, body }, ...released }: WatchedRelease & { readonly answer: JudgedAnswer },
): DataVerdict {
  let out: Uint8Array = noBytes
  const broken = brokenRows(() => void (out = passRows(openReleasedRows(content, layout, released), body)))
  return broken ?? leaves(status, contentFields(headers), out)
}

/** The fields that leave with content. */
export function contentFields(headers: readonly string[]): string[] {
  return ['content-type', typeOf(headers), ...kept(headers, ['content-language', ...generalFields])]
}

function leaves(status: number, headers: readonly string[], body: Uint8Array): DataVerdict {
  return { allowed: true, answer: { status, headers, body } }
}

/** The body is not looked at, since it does not leave; an undeclared status is a fault all the same. */
function statusOnly(operation: Operation, status: number): DataVerdict {
  const verdict = checkAnswer(operation, { status, contentType: undefined, body: noBytes })
  return verdict.allowed ? leaves(status, [], noBytes) : verdict
}

/** The body is written anew, in UTF-8, so nothing of its type but the type itself still holds: one that the document
 *  names, since a class of types is not checked as JSON. */
function typeOf(headers: readonly string[]): string {
  return readMediaType(fieldOf(headers, 'content-type')) ?? 'application/json'
}

/** Once each: repeated fields are one more way to write something. */
function kept(headers: readonly string[], names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = neutralValue(name, fieldOf(headers, name) ?? '')
    return value === undefined ? [] : [name, value]
  })
}
