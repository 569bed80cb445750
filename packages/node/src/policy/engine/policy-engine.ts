/** The engine behind the holder's policies: Cedar's decision about one request, whoever computes it. Two engines fit:
 *  the compiled one, and Cedar's own in WebAssembly, which is the reference. */

/** An entity's name, `Comity::Participant::"did:web:lab.example"` for example. */
export interface EntityUid {
  /** With its namespace: `Comity::Participant`. */
  readonly type: string
  readonly id: string
}

/** A value as Cedar's JSON has it. Entities are `{"__entity": {type, id}}`, extension values
 *  `{"__extn": {"fn": "datetime", "arg": "2026-11-22T07:00:00Z"}}`. Numbers are whole, within 64 bits. */
export type CedarValue =
  string | number | boolean | readonly CedarValue[] | { readonly [member: string]: CedarValue | undefined }

/** An entity with what the schema says that it has. `parents` holds every ancestor, not the direct ones alone. */
export interface PolicyEntity {
  readonly uid: EntityUid
  readonly attrs: Readonly<Record<string, CedarValue>>
  readonly parents: readonly EntityUid[]
  readonly tags?: Readonly<Record<string, CedarValue>> | undefined
}

/** One request in Cedar's words. Entities that are not given have no attributes and no parents. */
export interface PolicyRequest {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: Readonly<Record<string, CedarValue>>
  readonly entities: readonly PolicyEntity[]
}

/** Cedar's answer. INVARIANT of who uses it: with errors it is a denial, whatever `decision` says (a `forbid` that
 *  errors is skipped by Cedar, which would allow). */
export interface EngineDecision {
  readonly decision: 'allow' | 'deny'
  /** Ids of all permits that were satisfied, or of all forbids when there is one; sorted. */
  readonly reasons: readonly string[]
  /** Ids of policies whose evaluation failed, sorted, with why; no values of the request. */
  readonly errors: readonly { readonly policy: string; readonly message: string }[]
}

/** What of a request the policies that may match it look at: the key of a cached decision. */
export interface Dependencies {
  /** Names of the context's members, sorted; `*` stands for all of them. */
  readonly context: readonly string[]
  /** True when attributes or ancestors of the entities are looked at beyond the principal's, action's and resource's
   *  own names. */
  readonly entities: boolean
}

/** Decides requests by one set of policies. */
export interface PolicyEngine {
  readonly kind: 'compiled' | 'cedar'
  decide(request: PolicyRequest): EngineDecision
  /** For requests of this action on this type of resource. */
  dependencies(action: EntityUid, resourceType: string): Dependencies
}

/** One policy of a set, after Cedar has parsed it, checked it strictly against the schema and formatted it. */
export interface PreparedPolicy {
  /** The `@id` annotation, unique in the set. */
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** Formatted text. */
  readonly text: string
  /** Cedar's JSON form (EST). */
  readonly json: unknown
  readonly annotations: Readonly<Record<string, string>>
  /** Where it was written: the text, and the line of its first word, from 1. */
  readonly place?: { readonly source: string; readonly line: number } | undefined
}

/** A set that was found good as a whole. */
export interface PreparedSet {
  /** In the order of ids. */
  readonly policies: readonly PreparedPolicy[]
  /** SHA-256 over ids and formatted texts, base64url. */
  readonly hash: string
  /** What Cedar warns of, such as a condition that is never true. */
  readonly warnings: readonly PolicyFault[]
}

/** Something wrong in a policy's text. */
export interface PolicyFault {
  /** Name of the file or of the text as it was given. */
  readonly source: string
  /** Id of the policy, when it is known. */
  readonly policy?: string | undefined
  /** From 1; absent when unknown. */
  readonly line?: number | undefined
  readonly message: string
  /** What to do, where Cedar says it. */
  readonly help?: string | undefined
}
