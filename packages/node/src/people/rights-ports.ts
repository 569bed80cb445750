/** What the people's pages need of people's requests about their data. */
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'

export interface PersonRequestView {
  readonly id: string
  readonly type: RightsType
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  readonly isOverdue: boolean
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  readonly liftedMs: number | undefined
  readonly request: RightsRequest | undefined
  readonly tasks: readonly {
    readonly product: string
    readonly state: 'open' | 'done' | 'refused'
    readonly ground: string | undefined
  }[]
  readonly duties: readonly {
    /** DID. */
    readonly debtor: string
    readonly kind: string
    readonly state: 'open' | 'done' | 'refused'
    readonly outcome: string | undefined
    readonly receipt: string | undefined
  }[]
}

export interface PersonRights {
  /** Throws `rights-request-invalid`, `rights-request-state`, `subject-erased`. */
  open(person: { readonly subject: string }, input: unknown, method: string): Promise<PersonRequestView>
  list(filter: {
    readonly subject: string
    readonly before?: string | undefined
    readonly limit: number
  }): Promise<readonly PersonRequestView[]>
  /** These throw `rights-request-unknown` for another person's, `rights-request-state`. */
  show(id: string, subject: string): Promise<PersonRequestView>
  revoke(id: string, subject: string): Promise<PersonRequestView>
  bundle(id: string, subject: string): Promise<string>
  /** Field paths that can be corrected. */
  fields(): readonly string[]
}
