/** What the chapters about consent hand on to each other. */
import type { Browser } from '../../stage/browser.ts'
import type { Report } from '../../stage/report.ts'
import type { Cast } from '../cast.ts'

export interface ConsentThread {
  /** Id of request, consent and token. */
  consent: string | undefined
  /** Where the person decides. */
  link: string | undefined
  /** Where the person sees and ends what they allowed, in a session. */
  person: Browser | undefined
  /** What the lab passed on, as the firm knows it. */
  delegation: { readonly id: string; readonly subject: string } | undefined
  /** Tokens from before the withdrawal. */
  tokens: { readonly lab: string; readonly statistics: string } | undefined
  /** Ids of the exchanges in which data were released, by the receipts of those who got them. */
  readonly released: string[]
}

/** A chapter about consent. */
export type Chapter = (stage: {
  readonly cast: Cast
  readonly report: Report
  readonly thread: ConsentThread
}) => Promise<void>

export function emptyThread(): ConsentThread {
  return {
    consent: undefined,
    link: undefined,
    person: undefined,
    delegation: undefined,
    tokens: undefined,
    released: [],
  }
}

/** What an earlier step has found. Throws when that step failed. */
export function given<K extends keyof ConsentThread>(thread: ConsentThread, name: K): NonNullable<ConsentThread[K]> {
  const value = thread[name]
  if (value === undefined) throw new Error(`an earlier step gave no ${name}`)
  return value as NonNullable<ConsentThread[K]>
}
