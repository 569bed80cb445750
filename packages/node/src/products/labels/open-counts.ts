/** Members of answers that leave whatever is withheld, and are numbers beside a list of rows: most likely they count
 *  the rows, those outside of a consent too. */
import { eachElement, stepsOf } from '@comity/core/minimisation/answer-path'
import { successSchemas } from './answer-schemas.ts'
import type { DataPlan } from './data-plan.ts'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import { typesAt } from '../operations/schema-paths.ts'

export interface OpenCount {
  /** `operationId`. */
  readonly operation: string
  /** Answer path, as in `open`. */
  readonly path: string
}

/** In the order of the document. */
export function openCounts(
  root: JsonObject,
  { operations: planned }: DataPlan,
  all: readonly Operation[],
): OpenCount[] {
  return all.flatMap((operation) => {
    const layout = planned.get(operation.id)?.layout
    if (layout === undefined || !stepsOf(layout.rows).includes(eachElement)) return []
    const schemas = successSchemas(operation)
    return layout.open
      .filter((path) => schemas.some((schema) => isNumeric(typesAt(root, schema, stepsOf(path)))))
      .map((path) => ({ operation: operation.id, path }))
  })
}

function isNumeric(types: ReadonlySet<unknown>): boolean {
  return types.has('integer') || types.has('number')
}
