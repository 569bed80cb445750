/** What the node keeps of released answers, for the counters of a consent and for the person's list of its uses. */
import type { Statement } from '../../storage/database.ts'

/** One answer that left under a consent. */
export interface ConsentUse {
  /** Id of the exchange, by which log and receipt know it. */
  readonly exchange: string
  readonly consent: string
  /** Ids of the grants that gave of it. */
  readonly grants: readonly string[]
  /** The delegations of the chain it was asked with, `<DID of the delegator> <delegation>` each. */
  readonly links: readonly string[]
  readonly atMs: number
  /** DID. */
  readonly caller: string
  /** DIDs from the recipient to the caller; empty for the recipient itself. */
  readonly via: readonly string[]
}

/** What is counted together: the uses of a grant, in all (`link` empty) or by one delegation. */
export interface UseCounter {
  readonly consent: string
  readonly grant: string
  readonly link: string
}

export interface ConsentUsesStore {
  /** All uses ever. */
  count(counter: UseCounter): Promise<number>
  /** When it was used after a moment, newest first, at most `limit`. */
  timesAfter(counter: UseCounter, afterMs: number, limit: number): Promise<number[]>
  /** Uses of a consent, newest first; `before` is the exchange id that the page before ended with. */
  list(consent: string, page: { readonly before?: string | undefined; readonly limit: number }): Promise<ConsentUse[]>
  /** DIDs of everyone who ever called under a consent, each once. */
  callers(consent: string): Promise<string[]>
  insert(use: ConsentUse): Statement[]
}
