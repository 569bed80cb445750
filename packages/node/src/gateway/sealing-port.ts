/** What the gateway asks of sealing: contents that only the other side's node reads, whatever stands in between. */
import type { ContentOpening, SealedContent } from '@comity/core/sealing/sealed-content'
import type { EnvelopeType } from '@comity/core/sealing/sealed-envelope'
import type { SealingAlgorithm, SealingOffer } from '@comity/core/sealing/sealing-algorithms'
import type { SealedClaim } from '@comity/core/sealing/sealing-claims'

/** Some sealed content as it is recorded. */
export interface SealedFacts {
  readonly claim: SealedClaim
  /** What opens the commitment in the claim. */
  readonly opening: ContentOpening
}

/** A key of another participant, ready to be sealed to. */
export interface SealTarget {
  readonly algorithm: SealingAlgorithm
  readonly keyid: string
}

/** What an envelope is, and which exchange it belongs to. */
export interface EnvelopeBinding {
  readonly typ: EnvelopeType
  readonly bnd: string
}

/** What a holder's document says that its products seal. */
export interface AnnouncedSealing {
  readonly answers: readonly SealingAlgorithm[]
  readonly requests: readonly SealingAlgorithm[]
  /** The key of the document to seal to; undefined when it has none for the algorithm. */
  target(algorithm: SealingAlgorithm): SealTarget | undefined
}

export interface SealingPort {
  /** Of these, in their order, what the node's policy allows; all that it allows when undefined. */
  allowed(algorithms: readonly SealingAlgorithm[] | undefined): readonly SealingAlgorithm[]
  /** The own keys that others may seal to now with one of the algorithms. */
  offers(algorithms: readonly SealingAlgorithm[]): readonly SealingOffer[]
  /** The key that a caller names. Throws `key-unknown` when its document does not name it for key agreement. */
  resolveTarget(offer: SealingOffer): Promise<SealTarget>
  seal(
    target: SealTarget,
    binding: EnvelopeBinding,
    content: SealedContent,
  ): { readonly body: Buffer; readonly facts: SealedFacts }
  /** Opens what was sealed to any own key that is not retired. Throws `unseal-failed`, the same for whatever reason. */
  open(body: Uint8Array, binding: EnvelopeBinding): { readonly content: SealedContent; readonly facts: SealedFacts }
  /** What the holder's document says; with `anew`, a document that is fetched now if it may be. Throws
   *  `did-unresolvable`, `did-invalid`. */
  announced(did: string, options?: { readonly anew?: boolean }): Promise<AnnouncedSealing>
}
