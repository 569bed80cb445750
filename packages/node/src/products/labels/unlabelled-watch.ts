/** Tells the operator of fields in answers that no label covers: each field of a product once an hour, and with no more
 *  than one answer a second of an operation looked at. */
import { isLegible } from '../operations/legible-pointer.ts'
import {
  knownFields,
  unlabelledFields,
  unlabelledFieldsOfRow,
  type KnownFields,
} from '@comity/core/minimisation/unlabelled'
import type { Clock } from '@comity/core/ports'
import type { DataPlan } from './data-plan.ts'

/** A field that an answer has and that never leaves. */
export interface UnlabelledField {
  readonly product: string
  /** `operationId`. */
  readonly operation: string
  /** Field path, or answer path around the rows. */
  readonly field: string
}

/** Looks at the answers of one operation. */
export interface SeenAnswers {
  /** One whose rows are where the layout says. */
  answer(value: unknown): void
  /** One row of an answer that is taken apart row by row. */
  row(row: unknown): void
}

export interface WatchParts {
  readonly product: string
  readonly plan: DataPlan
  /** Paths that nobody needs to be told of. */
  readonly withheld: readonly string[]
  /** Names of members that the product's document declares. */
  readonly declared: () => ReadonlySet<string>
  readonly clock: Clock
  readonly report: (field: UnlabelledField) => void
}

const lookEveryMs = 1_000
const tellEveryMs = 3_600_000
/** Fields whose last report is remembered. */
const maxTold = 1_000

/** Watches the answers of one product: what looks at those of an operation, by its id. */
export function watchUnlabelled({
  product,
  plan,
  withheld,
  declared,
  clock,
  report,
}: WatchParts): (operation: string) => SeenAnswers {
  const isTold = (name: string) => isLegible(name, declared())
  const known = new Map<string, KnownFields>()
  const lookedMs = new Map<string, number>()
  const toldMs = new Map<string, number>()

  function knownOf(operation: string): KnownFields | undefined {
    const planned = plan.operations.get(operation)
    if (planned === undefined) return undefined
    let fields = known.get(operation)
    if (fields === undefined)
      known.set(operation, (fields = knownFields(planned.layout, plan.labels, { withheld, isTold })))
    return fields
  }

  function look(operation: string, find: (fields: KnownFields) => readonly string[]): void {
    const nowMs = clock.now()
    const sinceMs = nowMs - (lookedMs.get(operation) ?? -Infinity)
    if (sinceMs >= 0 && sinceMs < lookEveryMs) return
    lookedMs.set(operation, nowMs)
    const fields = knownOf(operation)
    for (const field of fields === undefined ? [] : find(fields)) {
      if (nowMs - (toldMs.get(field) ?? -Infinity) < tellEveryMs) continue
      if (toldMs.size >= maxTold) forget(nowMs)
      if (toldMs.size >= maxTold) continue
      toldMs.set(field, nowMs)
      report({ product, operation, field })
    }
  }

  function forget(nowMs: number): void {
    for (const [field, atMs] of toldMs) if (nowMs - atMs >= tellEveryMs) toldMs.delete(field)
  }

  return (operation) => ({
    answer: (value) => look(operation, (fields) => unlabelledFields(value, fields)),
    row: (row) => look(operation, (fields) => unlabelledFieldsOfRow(row, fields)),
  })
}
