/** What the gateway asks of the holder's policies. */
import type { ConsentAction } from '@comity/core/consent/consent-scope'
import type { Actor } from '@comity/core/exchange/actor'
import type { FieldMask } from '@comity/core/policy/field-mask'
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'

export interface PoliciesPort {
  /** Undefined on a node without policies; at once where nothing must be looked up. Never rejects: what cannot be
   *  decided is denied. */
  decide(question: PolicyQuestion): Decided | undefined | Promise<Decided | undefined>
}

/** One call that agreement and consent allow. */
export interface PolicyQuestion {
  /** DID; undefined for anonymous callers. */
  readonly caller: string | undefined
  readonly actor?: Actor | undefined
  readonly country?: string | undefined
  readonly address: string
  readonly action: ConsentAction
  readonly product: string
  readonly productClass: 'public' | 'partner' | 'personal'
  readonly version: string
  readonly operation: string
  readonly method: string
  /** Fields that the call may still have and its answer may hold. */
  readonly labels: readonly AskedField[]
  /** Of a change: the fields that its answer may hold. */
  readonly asked?: readonly string[] | undefined
  /** Fields that the call may have and does not ask for. Nothing is judged by them; groups of rows are formed by what
   *  the mask leaves of them too. */
  readonly unasked?: readonly AskedField[] | undefined
  /** Of both, the paths that are only parts of fields that the call may have, and are there because it asks for them. */
  readonly parts?: readonly string[] | undefined
  /** What a change writes. */
  readonly written?: readonly AskedField[] | undefined
  readonly purpose?: string | undefined
  readonly agreement?: string | undefined
  /** Id of the consent; `via` when the caller acts by delegation. */
  readonly consent?: string | undefined
  readonly via?: readonly string[] | undefined
  /** Vault handle of the person whom the call is about. */
  readonly subject?: string | undefined
  readonly nowMs: number
}

/** A labelled field, or one below. */
export interface AskedField {
  readonly path: string
  readonly domain: string
  readonly sensitivity: Sensitivity
}

/** What policies say, by which of them, and the writes that keep it, for the transaction that records the exchange. */
export interface Decided {
  readonly verdict: PolicyVerdict
  /** The same for a call that is permitted and yet refused, for what the permits leave of it: so that what is kept says
   *  what the caller got. */
  refused(detail: string): Decided
  trail(exchange: string, subject: SubjectKey | undefined): readonly Statement[]
}

/** `version` is 0 when no set is in force. Without `mask` all fields leave as they are. */
export type PolicyVerdict = { readonly policies: readonly string[]; readonly version: number } & (
  | { readonly allowed: true; readonly mask?: FieldMask | undefined }
  | {
      readonly allowed: false
      readonly code: 'policy-denied' | 'policy-failed'
      readonly detail: string
      readonly advice?: readonly string[] | undefined
    }
)
