/** The rows of sample answers that are rows and nothing else, whatever a schema says of them: a scan looks at what is
 *  there. */
import { parseJson } from '@comity/core/bytes/json'
import { createCsvRows } from '@comity/core/minimisation/rows/csv-rows'
import { createNdjsonRows } from '@comity/core/minimisation/rows/ndjson-rows'
import type { RowWork } from '@comity/core/minimisation/rows/row-stream'

/** All rows, those of a table with text in each cell. Throws `RowFault`. */
export function sampleRows(format: 'ndjson' | 'csv', body: Uint8Array): unknown[] {
  const rows: unknown[] = []
  const work: RowWork = {
    parse: (text) => parseJson(text),
    write: (value) => JSON.stringify(value),
    check: () => undefined,
    release: (row) => void rows.push(row),
  }
  const columns = { column: () => ({ kind: 'text', keepsEmpty: false }) as const, fields: [] }
  const reader = format === 'csv' ? createCsvRows(columns, work) : createNdjsonRows(work)
  reader.push(body)
  reader.end()
  return rows
}
