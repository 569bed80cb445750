/** The rows of an answer, judged by their schema one by one, and of each what was released. */
import { parseExactJson, writeExactJson } from '@comity/core/bytes/exact-json'
import { createCsvRows } from '@comity/core/minimisation/rows/csv-rows'
import { createJsonRows } from '@comity/core/minimisation/rows/json-rows'
import { createNdjsonRows } from '@comity/core/minimisation/rows/ndjson-rows'
import type { RowStream, RowWork } from '@comity/core/minimisation/rows/row-stream'
import { rowMinimiser, type RowLayout, type RowMinimiser } from '@comity/core/minimisation/minimise'
import type { RowsContent } from '../operations/contents.ts'
import type { WatchedRelease } from '../labels/data-answer.ts'
import { faultText, type JsonStream } from './json-stream.ts'

function workOf(judge: Parameters<typeof faultText>[0], minimiser: Pick<RowWork, 'release' | 'flush'>): RowWork {
  return { parse: parseExactJson, write: writeExactJson, check: (row) => faultText(judge, row), ...minimiser }
}

/** The rows of NDJSON and CSV, each row as it came: for answers without labelled fields, and for bodies, of which `seen`
 *  is given each row. */
export function openWholeRows(content: RowsContent, seen?: (row: unknown) => void): RowStream {
  const release = (row: unknown) => {
    seen?.(row)
    return row
  }
  const work = workOf(content, { release })
  if (content.format === 'ndjson') return createNdjsonRows(work)
  return createCsvRows({ column: content.column, fields: [] }, work)
}

/** The rows of an answer with labelled fields. A row of NDJSON or CSV is a row of the layout whatever its path says. */
export function openReleasedRows(
  content: RowsContent | JsonStream,
  layout: RowLayout,
  { release, means, seen }: WatchedRelease,
): RowStream {
  const ofRow = 'shapes' in content ? layout : { ...layout, rows: '', open: [] }
  const minimiser = watched(rowMinimiser(release, { layout: ofRow, means }), seen)
  if ('shapes' in content)
    return createJsonRows(
      { layout, shapes: content.shapes },
      workOf({ check: content.row, declared: content.declared }, minimiser),
    )
  const work = workOf(content, minimiser)
  if (content.format === 'ndjson') return createNdjsonRows(work)
  return createCsvRows({ column: content.column, fields: release.released }, work)
}

function watched(minimiser: RowMinimiser, seen: WatchedRelease['seen']): RowMinimiser {
  if (seen === undefined) return minimiser
  return {
    ...minimiser,
    release(row) {
      seen.row(row)
      return minimiser.release(row)
    },
  }
}

/** All of a body at once. Throws `RowFault`. */
export function passRows(rows: RowStream, body: Uint8Array): Uint8Array {
  return Buffer.concat([rows.push(body), rows.end()])
}
