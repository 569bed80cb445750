/** The agreements in memory, for decisions on the path of every call: no waiting, one look-up by the two
 *  participants and the product. */
import {
  decideAgreement,
  decideAmongAgreements,
  type AgreementVerdict,
} from '@comity/core/agreement/agreement-decision'
import { overlapOf } from '@comity/core/agreement/agreement-overlap'
import type { AgreementTerms } from '@comity/core/agreement/agreement-policy'

/** Who asks for what, under which agreement if the caller names one. */
export interface AgreementQuestion {
  /** DID of the holder. */
  readonly assigner: string
  /** DID of the recipient. */
  readonly assignee: string
  readonly product: string
  /** Undefined where the asker leaves that check to the holder. */
  readonly operation: string | undefined
  readonly purpose: string | undefined
  readonly agreementId: string | undefined
}

/** Another agreement that covers the same calls. */
export interface AgreementOverlap {
  /** Its id. */
  readonly agreement: string
  /** For calls of these products one of the two must be named. */
  readonly products: readonly string[]
}

interface Entry {
  readonly terms: AgreementTerms
  terminatedMs: number | undefined
}

export class AgreementIndex {
  readonly #byId = new Map<string, Entry>()
  readonly #byCall = new Map<string, Entry[]>()

  /** Adds an agreement that is not in yet. */
  add(terms: AgreementTerms, terminatedMs: number | undefined): void {
    const entry: Entry = { terms, terminatedMs }
    this.#byId.set(terms.id, entry)
    const products = new Set(terms.permissions.flatMap((permission) => [...permission.products]))
    for (const product of products) {
      const key = callKey({ assigner: terms.assigner, assignee: terms.assignee, product })
      const entries = this.#byCall.get(key)
      if (entries === undefined) this.#byCall.set(key, [entry])
      else entries.push(entry)
    }
  }

  /** From now on no call is allowed under the agreement. The first moment stays. */
  terminate(id: string, atMs: number): void {
    const entry = this.#byId.get(id)
    if (entry !== undefined) entry.terminatedMs ??= atMs
  }

  terminatedMs(id: string): number | undefined {
    return this.#byId.get(id)?.terminatedMs
  }

  /** Agreements that stand and cover some calls that these terms cover too, now or later. */
  overlaps(terms: AgreementTerms, nowMs: number): AgreementOverlap[] {
    const { assigner, assignee, permissions } = terms
    const products = new Set(permissions.flatMap((permission) => [...permission.products]))
    const others = [...products].flatMap((product) => this.#byCall.get(callKey({ assigner, assignee, product })) ?? [])
    return [...new Set(others)].flatMap((other) => {
      const common = other.terminatedMs === undefined ? overlapOf(terms, other.terms, nowMs) : []
      return common.length === 0 ? [] : [{ agreement: other.terms.id, products: common }]
    })
  }

  /** A named agreement must be one between these two; whether it is one of somebody else's is not told. */
  decide(question: AgreementQuestion, nowMs: number): AgreementVerdict {
    const { agreementId, assigner, assignee } = question
    if (agreementId === undefined)
      return decideAmongAgreements(this.#byCall.get(callKey(question)) ?? [], question, nowMs)
    const entry = this.#byId.get(agreementId)
    if (entry?.terms.assigner !== assigner || entry.terms.assignee !== assignee) {
      return {
        allowed: false,
        code: 'agreement-required',
        detail: 'the agreement that the call names is not known here',
      }
    }
    return decideAgreement(entry, question, nowMs)
  }
}

// DIDs hold no space, so the parts cannot run into one another.
function callKey({
  assigner,
  assignee,
  product,
}: Pick<AgreementQuestion, 'assigner' | 'assignee' | 'product'>): string {
  return `${assigner} ${assignee} ${product}`
}
