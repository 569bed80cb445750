/** What policies leave of the fields that a call may have: the union of the masks of the permits that decided. */
import type { FieldTransform } from '../consent/consent-scope.ts'

/** The labelled fields that may leave, and what happens to their values first. A field that is not listed does not
 *  leave. */
export interface FieldMask {
  readonly fields: readonly MaskedField[]
  /** The same of all that the call may have whatever it asks for: groups of rows are formed by these. Absent where a
   *  call asks for all of it. */
  readonly givable?: readonly MaskedField[] | undefined
  /** The same of what a change writes. A field may be written when it is listed: transforms are about what leaves. */
  readonly written?: readonly MaskedField[] | undefined
}

/** One labelled field of the product. Without transforms it leaves as it is. */
export interface MaskedField {
  readonly path: string
  readonly transforms: readonly FieldTransform[]
  /** Least rows of a group, where rows with the field leave in groups only: only permits with an aggregate give it, and
   *  they mean groups also when the aggregated field is not asked for. */
  readonly groupsOf?: number | undefined
}
