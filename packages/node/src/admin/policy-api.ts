/** Shapes of the admin API's answers about policies, version 1. The `comity` command reads exactly these. */

export interface PolicyFaultView {
  /** The text, as it was named, or the policy. */
  readonly source: string
  readonly policy?: string | undefined
  readonly line?: number | undefined
  readonly message: string
  readonly help?: string | undefined
}

export interface PolicyView {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** As Cedar formats it. */
  readonly text: string
  readonly annotations: Readonly<Record<string, string>>
}

/** `GET /v1/policies/versions`: without what the sets say. */
export interface PolicyVersionView {
  readonly version: number
  readonly hash: string
  /** Over the admin API, or from the directory of the configuration. */
  readonly source: 'admin' | 'directory'
  readonly note?: string | undefined
  /** When it came into force, ISO 8601. */
  readonly since: string
}

/** `GET /v1/policies`, `POST /v1/policies`, `GET /v1/policies/versions/{version}`. */
export interface PolicySetView extends PolicyVersionView {
  readonly policies: readonly PolicyView[]
  readonly warnings: readonly PolicyFaultView[]
  /** As they were given. */
  readonly texts: readonly { readonly source: string; readonly text: string }[]
}

/** `GET /v1/policies` while no set is in force: agreement and consent decide alone. */
export interface NoPoliciesView {
  readonly version: 0
}

/** `POST /v1/policies/check`. */
export interface PolicyCheckView {
  readonly ok: boolean
  readonly faults: readonly PolicyFaultView[]
  readonly warnings: readonly PolicyFaultView[]
  readonly policies: readonly PolicyView[]
}

export type PolicyOutcome = 'allowed' | 'denied' | 'failed'

/** A mask: field -> what is done to its value. What is not named does not leave. */
export type MaskView = Readonly<Record<string, readonly string[]>>

export interface DemandView {
  readonly text: string
  readonly holds: boolean
  readonly error?: string | undefined
}

export interface PolicyFindingView {
  readonly policy: string
  readonly effect: 'permit' | 'forbid'
  readonly matches: boolean
  readonly scope: readonly DemandView[]
  readonly conditions: readonly DemandView[]
}

/** `GET /v1/policies/decisions/{exchange}`. */
export interface PolicyExplanationView {
  readonly exchange: string
  readonly at: string
  /** Of the set that decided; 0 when none was in force. */
  readonly version: number
  readonly outcome: PolicyOutcome
  readonly policies: readonly string[]
  /** What left of the fields that were asked for; absent when they left as they are. With `denied`: the policies permit
   *  the call, and it is refused for what they leave of it, which is mostly nothing. */
  readonly mask?: MaskView | undefined
  /** The call in Cedar's words. */
  readonly request: {
    readonly principal: string
    readonly action: string
    readonly resource: string
    readonly context: Readonly<Record<string, unknown>>
  }
  /** What it would take for the call to be allowed; empty when it was. */
  readonly needed: readonly string[]
  readonly findings: readonly PolicyFindingView[]
}

export interface DecidedView {
  readonly outcome: PolicyOutcome
  readonly policies: readonly string[]
  readonly mask?: MaskView | undefined
}

/** `POST /v1/policies/diff`. */
export interface PolicyDiffView {
  readonly compared: number
  /** About people who were erased since. */
  readonly unreadable: number
  readonly changedInAll: number
  /** At most 1,000. */
  readonly changed: readonly {
    readonly exchange: string
    readonly at: string
    readonly caller: string | undefined
    readonly product: string
    readonly operation: string
    readonly change: 'allowed-denied' | 'denied-allowed' | 'mask' | 'failed'
    readonly before: DecidedView
    readonly after: DecidedView
  }[]
  readonly warnings: readonly PolicyFaultView[]
}

/** `POST /v1/relationships`. */
export interface RelationshipView {
  readonly id: string
  /** A group by its id, or a person by the handle under which the node knows them. */
  readonly object: { readonly group: string } | { readonly person: string }
  readonly relation: string
  readonly subject: { readonly type: string; readonly id: string }
  readonly added: string
}

/** `POST /v1/relationships/remove`. */
export interface RelationshipRemovedView {
  readonly removed: true
}
