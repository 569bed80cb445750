/** Whether the scopes of a consent let a call change what its body writes. Pure. */
import type { ConsentScope } from './consent-scope.ts'
import { coveredByAny, coversField } from './field-path.ts'
import { meets, releasedFields, type FieldLabel } from './released-fields.ts'
import type { ReleasePart } from './release.ts'

/** One row of a body. */
export interface WrittenRow {
  /** The row itself, by which filters and periods are judged. */
  readonly value: unknown
  /** Field paths at or below labels, as deep as the row's members have names that may be told. */
  readonly fields: readonly string[]
}

/** All fields of the rows, each once. */
export function allWritten(rows: readonly WrittenRow[]): readonly string[] {
  return [...new Set(rows.flatMap(({ fields }) => fields))]
}

/** What a call changes. */
export interface Change<Label extends FieldLabel = FieldLabel> {
  readonly rows: readonly WrittenRow[]
  /** All labels of the product. */
  readonly labels: readonly Label[]
  /** Whether the filters and the period of a part hold for a row (`minimisation/row-conditions.ts`). */
  readonly satisfies: (row: unknown, part: Conditions) => boolean
}

type Conditions = Pick<ReleasePart, 'filters' | 'period'>

export interface ChangeVerdict {
  /** Scopes under which something is changed, in their order. */
  readonly scopes: readonly ConsentScope[]
  /** Fields that the call writes and may not. */
  readonly refused: readonly string[]
}

interface Giver {
  readonly scope: ConsentScope
  readonly fields: readonly string[]
  readonly conditions: Conditions
}

/** Each field that is written must be given, whole, by a scope: the one that would give it of an answer. Its filters and
 *  its period must hold for the row as it is written. What a scope drops it does not give; other transforms, and
 *  aggregates, are about what leaves and say nothing of what is written. */
export function decideChange(
  { permits, refusals }: { readonly permits: readonly ConsentScope[]; readonly refusals: readonly ConsentScope[] },
  { rows, labels, satisfies }: Change,
  partOf: (scope: ConsentScope) => Conditions,
): ChangeVerdict {
  const requested = allWritten(rows)
  if (requested.length === 0) return { scopes: [], refused: [] }
  const { byScope } = releasedFields(permits, refusals, { labels, requested })
  const givers = [...byScope].map(([scope, fields]) => ({ scope, fields, conditions: partOf(scope) }))
  const giverOf = new Map(requested.map((field) => [field, givers.find((giver) => gives(giver, field))]))
  const used = new Set<ConsentScope>()
  const refused = new Set<string>()
  for (const { value, fields } of rows) {
    const holds = new Map(givers.map((giver) => [giver, satisfies(value, giver.conditions)]))
    for (const field of fields) {
      const giver = giverOf.get(field)
      if (giver === undefined || holds.get(giver) !== true) refused.add(field)
      else used.add(giver.scope)
    }
  }
  return { scopes: permits.filter((scope) => used.has(scope)), refused: [...refused] }
}

function gives({ scope, fields }: Giver, field: string): boolean {
  const { transforms = [] } = scope
  return coveredByAny(fields, field) && !transforms.some(({ op, path }) => op === 'drop' && meets(path, field))
}

/** Labelled fields that every call of an operation changes, as it is said of the operation: each at or below a label. */
export function statedChange(stated: readonly string[], labels: readonly FieldLabel[]): WrittenRow {
  const fields = labels.flatMap(({ path }) =>
    stated.flatMap((field) => (coversField(field, path) ? [path] : coversField(path, field) ? [field] : [])),
  )
  return { value: {}, fields: [...new Set(fields)] }
}
