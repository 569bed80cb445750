/** What an operation's document says of its successes, and whether these have what a product's labels speak of. */
import { stepsOf } from '@comity/core/minimisation/answer-path'
import type { RowLayout } from '@comity/core/minimisation/minimise'
import type { JsonObject } from '../openapi/openapi.ts'
import type { Located } from '../openapi/references.ts'
import type { ContentCheck } from '../operations/contents.ts'
import type { Operation } from '../operations/operations.ts'
import { presenceAt } from '../operations/schema-paths.ts'

/** The schema of a content, or of its rows. */
export function schemaOf(content: ContentCheck): Located | undefined {
  return content.kind === 'json' || content.kind === 'rows' ? content.schema : undefined
}

/** What is declared of successes: `default` counts only where nothing else is said of them. */
export function successes({ answers }: Operation) {
  const stated = [...answers].filter(([status]) => status.startsWith('2'))
  return stated.length > 0 ? stated : [...answers].filter(([status]) => status === 'default')
}

/** The schema of an answer, or of each row where an answer is rows and nothing else. */
export interface AnswerSchema {
  readonly schema: Located
  readonly isRow: boolean
}

/** Of its successes, where these have schemas. */
export function answerSchemas(operation: Operation): AnswerSchema[] {
  return successes(operation).flatMap(([, { contents }]) =>
    [...contents.values()].flatMap((content) => {
      const schema = schemaOf(content)
      return schema === undefined ? [] : [{ schema, isRow: content.kind === 'rows' }]
    }),
  )
}

/** The schemas of successes that are more than their rows. */
export function successSchemas(operation: Operation): Located[] {
  return answerSchemas(operation).flatMap(({ schema, isRow }) => (isRow ? [] : [schema]))
}

/** True when no answer can have the field in its rows. */
export function isAbsent(
  root: JsonObject,
  schemas: readonly AnswerSchema[],
  { rows, field }: { readonly rows: string; readonly field: string },
): boolean {
  return schemas.every(({ schema, isRow }) => {
    const steps = [...(isRow ? [] : stepsOf(rows)), ...stepsOf(field)]
    return presenceAt(root, schema, steps) === 'no'
  })
}

/** Where the layout says that something is, and the answers have nothing. */
export function layoutFaults(root: JsonObject, schemas: readonly AnswerSchema[], { rows, date, open }: RowLayout) {
  const faults: { path: 'rows' | 'date' | 'open'; message: string }[] = []
  if (schemas.length === 0) return faults
  // Where rows are said to be, and what is beside them, is said of answers that hold both.
  const around = schemas.filter(({ isRow }) => !isRow)
  const isNowhere = (path: string) => around.length > 0 && isAbsent(root, around, { rows: path, field: '' })
  if (isNowhere(rows)) {
    faults.push({ path: 'rows', message: `there is nothing at \`${rows}\`` })
  } else if (date !== undefined && isAbsent(root, schemas, { rows, field: date })) {
    faults.push({ path: 'date', message: `rows have no field \`${date}\`` })
  }
  for (const path of open) if (isNowhere(path)) faults.push({ path: 'open', message: `there is no \`${path}\`` })
  return faults
}
