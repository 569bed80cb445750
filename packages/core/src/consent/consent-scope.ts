/** What a grant allows, in the words of ReBIT, FDX, ISO/IEC TS 27560 and RFC 9396 together. The same type stands in a
 *  consent record (as a grant) and in a consent token (as an authorization detail), so one rule decides on both.
 *  Every member is enforced by the holder's node; a member that a node does not know makes it refuse, never ignore. */

export const consentActions = ['read', 'query', 'compute', 'write', 'append', 'delete'] as const
export type ConsentAction = (typeof consentActions)[number]
export const consentModes = ['view', 'store', 'stream'] as const
export type ConsentMode = (typeof consentModes)[number]

/** A condition on a value of a row; rows that do not satisfy all conditions are not released. `path` is a field path
 *  (`fields.ts`), relative to the row. `in` takes a list; `<` and its like compare numbers, or text by code points. */
export interface RowFilter {
  readonly path: string
  readonly op: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'in'
  readonly value: string | number | boolean | readonly (string | number | boolean)[]
}

/** What many values become when only something about all of them is released. */
export const aggregateFunctions = ['count', 'sum', 'avg', 'min', 'max'] as const
export type AggregateFunction = (typeof aggregateFunctions)[number]

/** What happens to a value before it is released. `mask` keeps the last `arg` characters (default 4); `hash` is keyed
 *  and pairwise; `round` goes to multiples of `arg` (default 1); `year` keeps the year of a date; `pseudonym` puts the
 *  pairwise identifier in its place; `drop` leaves it out. `aggregate` releases `fn` over the rows that have the same
 *  other fields, of at least `arg` rows (default 5, never fewer than 2), instead of the rows themselves. */
export interface FieldTransform {
  readonly path: string
  readonly op: 'mask' | 'hash' | 'round' | 'year' | 'pseudonym' | 'drop' | 'aggregate'
  readonly arg?: number | undefined
  /** With `aggregate`, and only there. */
  readonly fn?: AggregateFunction | undefined
}

/** Which data, by the time that the data is about: fixed moments (RFC 3339), or so far back from the call
 *  (`lookback`, an ISO 8601 duration such as `P60D`). */
export type DataPeriod =
  { readonly from?: string | undefined; readonly to?: string | undefined } | { readonly lookback: string }

/** How often. `max` calls in each window of `per` (ISO 8601 duration); `once` means one released answer ever. */
export interface FetchLimit {
  readonly type: 'once' | 'periodic' | 'continuous'
  readonly max?: number | undefined
  readonly per?: string | undefined
}

/** What the recipient owes once it has the data. Durations are ISO 8601. */
export interface Retention {
  readonly for?: string | undefined
  /** RFC 3339. */
  readonly until?: string | undefined
  readonly onWithdrawal: 'delete' | 'anonymise' | 'retainLegal'
  /** How long after the end of the consent; 30 days unless told. */
  readonly deleteWithin?: string | undefined
}

/** To whom it may be passed on by delegation. */
export interface OnwardSharing {
  readonly allow: 'none' | 'listed' | 'any'
  /** DIDs, with `listed`. */
  readonly recipients?: readonly string[] | undefined
  /** Longest chain of delegations; 1 unless told. */
  readonly maxDepth?: number | undefined
}

export interface ConsentScope {
  /** Id of the grant in the record; a child of a chain names its parent's. */
  readonly grant: string
  readonly effect: 'permit' | 'deny'
  /** IRIs; a call states one of them or a narrower one (DPV's subclasses). */
  readonly purposes: readonly string[]
  readonly actions: readonly ConsentAction[]
  readonly modes?: readonly ConsentMode[] | undefined
  /** Ids of the holder's products. */
  readonly products: readonly string[]
  /** Dotted ids such as `health.medication`; one covers all below it. */
  readonly domains: readonly string[]
  /** Field paths, each covering all below it. Without `include`, all fields of the domains; `exclude` wins. */
  readonly fields?:
    { readonly include?: readonly string[] | undefined; readonly exclude?: readonly string[] | undefined } | undefined
  readonly transforms?: readonly FieldTransform[] | undefined
  readonly filters?: readonly RowFilter[] | undefined
  readonly dataPeriod?: DataPeriod | undefined
  readonly fetch?: FetchLimit | undefined
  /** Released answers in all, summed over all delegates. */
  readonly maxUses?: number | undefined
  readonly retention?: Retention | undefined
  /** ISO 3166-1 alpha-2 codes of the caller's country, as the holder knows it. */
  readonly geo?:
    { readonly allow?: readonly string[] | undefined; readonly deny?: readonly string[] | undefined } | undefined
  readonly onward?: OnwardSharing | undefined
  /** Duties of the recipient beyond retention, by IRI or name (`notify`, `log`, `attribute`). */
  readonly obligations?: readonly string[] | undefined
}
