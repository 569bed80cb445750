/** What a row's schema says of the columns of a table. */
import type { CsvColumn } from '@comity/core/minimisation/rows/csv-rows'
import { stepsOf } from '@comity/core/minimisation/answer-path'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Located } from '../openapi/references.ts'
import { isRequiredAt, presenceAt, typesAt } from '../operations/schema-paths.ts'

/** How the cells of a column are read; undefined for one that no row has. A column of numbers or booleans alone is one
 *  of those, all others are text. */
export function csvColumn(root: JsonObject, row: Located, name: string): CsvColumn | undefined {
  const steps = stepsOf(name)
  if (presenceAt(root, row, steps) === 'no') return undefined
  const kind = kindOf(typesAt(root, row, steps))
  return { kind, keepsEmpty: kind === 'text' && isRequiredAt(root, row, steps) }
}

function kindOf(types: ReadonlySet<unknown>): CsvColumn['kind'] {
  const stated = [...types].filter((type) => type !== 'null')
  if (stated.length === 0) return 'text'
  if (stated.every((type) => type === 'number' || type === 'integer')) return 'number'
  return stated.every((type) => type === 'boolean') ? 'boolean' : 'text'
}
