/** A success that is read while it arrives: which answers are, and what of its head and rows leaves. */
import type { RowStream } from '@comity/core/minimisation/rows/row-stream'
import { declaredContent } from '../operations/answer-check.ts'
import { contentFields, type WatchedRelease } from '../labels/data-answer.ts'
import type { DataOperation } from '../labels/data-plan.ts'
import type { Operation } from '../operations/operations.ts'
import { openReleasedRows } from './row-answer.ts'

/** The head of an answer, and what its body passes through. Names and values alternate in `headers`. */
export interface StreamedHead {
  readonly headers: readonly string[]
  readonly rows: RowStream
}

/** What is streamed of an operation's successes with a content type; undefined for what is not. */
function streamedContent(operation: Operation, { streams }: DataOperation, contentType: string | undefined) {
  const content = declaredContent(operation, { status: 200, contentType })
  return content === undefined ? undefined : streams?.get(content)
}

/** Whether a success of a content type is read while it arrives; undefined for an operation of which none is. */
export function streamsOf(
  operation: Operation,
  planned: DataOperation | undefined,
): ((contentType: string | undefined) => boolean) | undefined {
  if (planned?.streams === undefined) return undefined
  return (contentType) => streamedContent(operation, planned, contentType) !== undefined
}

/** Opens an answer that `streamsOf` takes. */
export function openStream(
  operation: Operation,
  planned: DataOperation,
  { headers, released }: { readonly headers: readonly string[]; readonly released: WatchedRelease },
): StreamedHead {
  const at = headers.indexOf('content-type')
  const content = streamedContent(operation, planned, headers[at + 1])
  if (content === undefined) throw new Error(`an answer of \`${operation.id}\` that is not streamed`)
  return { headers: contentFields(headers), rows: openReleasedRows(content, planned.layout, released) }
}
