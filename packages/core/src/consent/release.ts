/** What a decision releases of an answer: the result of `decideConsent`, and what minimisation carries out. */
import type { FieldTransform, RowFilter } from './consent-scope.ts'

/** Moments in milliseconds since the epoch; the data's own date must lie in [fromMs, toMs). */
export interface ReleasePeriod {
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** The part of a release that one grant gives. No field is in two parts. */
export interface ReleasePart {
  readonly grant: string
  /** Labelled field paths, in the order of the product's labels. None where something is only changed under the grant. */
  readonly fields: readonly string[]
  /** What the grant gives whatever a call asks for; absent where a call asks for all of it. Rows that leave in groups
   *  are grouped by these, so that nobody learns of fewer rows by asking for fewer fields. */
  readonly givable?: readonly string[] | undefined
  readonly transforms: readonly FieldTransform[]
  /** All must hold for a row, or the row gives nothing of this part. */
  readonly filters: readonly RowFilter[]
  readonly period?: ReleasePeriod | undefined
  /** Least rows of a group, where the rows leave in groups only although no transform is an aggregate. */
  readonly groupsOf?: number | undefined
}

export interface Release {
  readonly parts: readonly ReleasePart[]
  /** All fields of the parts, and the fields that were asked for and are not among them; both in label order. */
  readonly released: readonly string[]
  readonly withheld: readonly string[]
}
