/** What a product's labels do not reach, and which types its document states for the labelled fields: what is known
 *  before any call of how a mask will fare. */
import { stepsOf } from '@comity/core/minimisation/answer-path'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import { typesAt } from '../operations/schema-paths.ts'
import { answerSchemas } from './answer-schemas.ts'
import type { DataPlan } from './data-plan.ts'

export interface Labelling {
  /** Ids of operations without labelled fields, of which no part can be left out. */
  readonly unlabelled: readonly string[]
  /** Paths of the labelled fields that the answers of an operation may have. */
  fieldsOf(operation: string): readonly string[]
  /** The JSON types (`string`, `integer`, …) that the document states for a field of rows; none where it states none. */
  typesOf(field: string): ReadonlySet<unknown>
}

/** Describes a product's labels. Looks into the document only when asked. */
export function describeLabelling(
  plan: DataPlan | undefined,
  operations: readonly Operation[],
  root: JsonObject,
): Labelling {
  return {
    unlabelled: operations.map(({ id }) => id).filter((id) => plan?.operations.has(id) !== true),
    fieldsOf: (operation) => plan?.operations.get(operation)?.carries.map(({ path }) => path) ?? [],
    typesOf(field) {
      const found = operations.flatMap((operation) => {
        const rows = plan?.operations.get(operation.id)?.layout.rows
        if (rows === undefined) return []
        return answerSchemas(operation).flatMap(({ schema, isRow }) => [
          ...typesAt(root, schema, [...(isRow ? [] : stepsOf(rows)), ...stepsOf(field)]),
        ])
      })
      return new Set(found)
    },
  }
}
