/** What the admin API asks of the holder's policies. Sets and relationships write their changes to the log in the
 *  transaction that makes them. */
import type { CompositeExplanationView, PolicyCheckView, PolicyDiffView, PolicyExplanationView } from './policy-api.ts'
import type { Condition } from './route.ts'

/** A text of policies, by the name that faults tell it by. */
export interface PolicyTextInput {
  readonly source: string
  readonly text: string
}

export interface PolicyFaultFacts {
  readonly source: string
  readonly policy?: string | undefined
  readonly line?: number | undefined
  readonly message: string
  readonly help?: string | undefined
}

export interface PolicySetFacts {
  readonly version: number
  readonly source: 'admin' | 'directory'
  readonly note?: string | undefined
  readonly setMs: number
  readonly texts: readonly PolicyTextInput[]
  readonly prepared: {
    readonly hash: string
    readonly policies: readonly {
      readonly id: string
      readonly effect: 'permit' | 'forbid'
      readonly text: string
      readonly annotations: Readonly<Record<string, string>>
    }[]
    readonly warnings: readonly PolicyFaultFacts[]
  }
}

export type PolicySummaryFacts = Omit<PolicySetFacts, 'texts' | 'prepared'> & { readonly hash: string }

export interface PartyFacts {
  readonly type: 'Participant' | 'Service' | 'Human' | 'Device' | 'Group' | 'Product' | 'Operation'
  readonly id: string
}

export interface RelationshipFacts {
  /** A person by handle. */
  readonly object:
    { readonly type: 'Group'; readonly id: string } | { readonly type: 'person'; readonly handle: string }
  readonly relation: string
  readonly subject: PartyFacts
}

export type StoredRelationshipFacts = RelationshipFacts & { readonly id: string; readonly addedMs: number }

export interface PoliciesPort {
  current(): Promise<PolicySetFacts | undefined>
  find(version: number): Promise<PolicySetFacts | undefined>
  list(limit: number, before?: number): Promise<readonly PolicySummaryFacts[]>
  /** These look at the condition when all changes of the set that came before have ended. */
  put(
    set: {
      readonly texts: readonly PolicyTextInput[]
      readonly expected?: number | undefined
      readonly note?: string | undefined
    },
    condition: Condition | undefined,
  ): Promise<PolicySetFacts>
  reload(condition: Condition | undefined): Promise<PolicySetFacts | undefined>
  check(texts: readonly PolicyTextInput[]): Promise<PolicyCheckView>
  /** Throws `policy-invalid` for texts that cannot be used. */
  diff(texts: readonly PolicyTextInput[], last: number): Promise<PolicyDiffView>
  /** Throws `policy-unknown`, `subject-erased`. */
  explain(exchange: string): Promise<PolicyExplanationView | CompositeExplanationView>
  /** Names in masks that no product has. */
  warningsOf(set: PolicySetFacts): readonly PolicyFaultFacts[]
}

export interface RelationshipsPort {
  handleOf(reference: string): string
  list(filter: {
    readonly object?: RelationshipFacts['object'] | undefined
    readonly relation?: string | undefined
    readonly subject?: PartyFacts | undefined
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<readonly StoredRelationshipFacts[]>
  add(relationship: RelationshipFacts): Promise<StoredRelationshipFacts>
  remove(relationship: RelationshipFacts): Promise<void>
}

export interface PolicyAdminParts {
  readonly policies: PoliciesPort
  readonly relationships: RelationshipsPort
}
