/** What the holder's policies offer to the rest of the node: the words of this feature, before its code. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { FieldMask } from '@comity/core/policy/field-mask'
import type { Sensitivity } from '@comity/core/policy/sensitivity'

/** What of a participant makes the call, as the participant itself says and signs. */
export interface PolicyActor {
  readonly type: 'service' | 'human' | 'device'
  /** Unique within the participant. */
  readonly id: string
  /** How sure the participant is of it: `low`, `substantial` or `high` (eIDAS). */
  readonly assurance?: string | undefined
}

/** A labelled field of the product. */
export interface PolicyLabel {
  readonly path: string
  /** Absent for a product that names no domains. */
  readonly domain?: string | undefined
  readonly sensitivity: Sensitivity
}

/** One call that agreement and consent allow. Everything that a policy may look at is in it, so that it can be decided
 *  again later by another set. */
export interface PolicyQuestion {
  /** DID of the caller; undefined for anonymous callers of public products. */
  readonly caller: string | undefined
  readonly actor?: PolicyActor | undefined
  /** ISO 3166-1 alpha-2, as this node's operator declared it of the partner. */
  readonly country?: string | undefined
  /** Remote address. */
  readonly address: string
  readonly action: ConsentAction
  readonly product: string
  readonly productClass: 'public' | 'partner' | 'personal'
  readonly version: string
  readonly operation: string
  readonly method: string
  /** Fields that the call may still have, those of the consent where there is one; empty for a product without labels. */
  readonly labels: readonly PolicyLabel[]
  /** Of a change, which is judged by all that it has to do with: the fields that its answer may hold. Absent for a read,
   *  whose labels they are. */
  readonly asked?: readonly string[] | undefined
  /** Fields that the call may have and does not ask for. Nothing is judged by them; groups of rows are formed by what
   *  the mask leaves of them too. */
  readonly unasked?: readonly PolicyLabel[] | undefined
  /** Of both, the paths that are only parts of fields that the call may have, and are there because it asks for them. */
  readonly parts?: readonly string[] | undefined
  /** What a change writes. */
  readonly written?: readonly PolicyLabel[] | undefined
  /** IRI. */
  readonly purpose?: string | undefined
  readonly agreement?: string | undefined
  /** Id of the consent; with `via` when the caller acts by delegation. */
  readonly consent?: string | undefined
  readonly via?: readonly string[] | undefined
  /** Vault handle of the person whom the call is about; its relations to the caller are looked up. */
  readonly subject?: string | undefined
  readonly nowMs: number
}

/** What decided, for receipt, event and explanation. */
export interface DecidedBy {
  /** Ids of the policies that decided, sorted. Empty when nothing permitted the call. */
  readonly policies: readonly string[]
  /** Version of the set, counted from 1. */
  readonly version: number
}

/** Policies allow the call. `mask` is absent when all fields may leave as they are. */
export interface PolicyAllowed extends DecidedBy {
  readonly allowed: true
  readonly mask?: FieldMask | undefined
}

/** Policies do not allow the call. `advice` is what the forbidding policies' authors want callers to read; with `mask`
 *  the call is permitted, but for what the permits leave of it. */
export interface PolicyDenied extends DecidedBy {
  readonly allowed: false
  readonly code: 'policy-denied' | 'policy-failed'
  readonly detail: string
  readonly mask?: FieldMask | undefined
  readonly advice?: readonly string[] | undefined
}

export type PolicyVerdict = PolicyAllowed | PolicyDenied
