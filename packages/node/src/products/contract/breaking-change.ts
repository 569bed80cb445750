/** What of a new version of a product breaks callers: the words that all comparisons share. */

/** One change that breaks. */
export interface BreakingChange {
  /** `GET /athletes/{id}`. */
  readonly operation: string
  /** `query parameter \`limit\``, `body \`/name\``, `answer 200 \`/items/[]/born\``; undefined for all of the operation. */
  readonly place?: string | undefined
  readonly detail: string
}

/** The old and the new of something. */
export interface Versions<T> {
  readonly before: T
  readonly after: T
}

/** What breaks of one operation. */
export type Change = Omit<BreakingChange, 'operation'>
