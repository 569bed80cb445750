/** How content is sealed to a participant's key agreement key, by the names that JOSE gives the algorithms, and which of
 *  them is taken. */

/** What this version seals with, the strongest first:
 *  `HPKE-9`: HPKE with MLKEM768-X25519 (X-Wing), SHAKE256, AES-256-GCM (draft-ietf-jose-hpke-pq-pqt);
 *  `HPKE-3`: HPKE (RFC 9180) with X25519, HKDF-SHA256, AES-128-GCM (draft-ietf-jose-hpke-encrypt);
 *  `ECDH-ES+A256KW`: with X25519 and `A256GCM` (RFC 7518 §4.6, RFC 8037). */
export const sealingAlgorithms = ['HPKE-9', 'HPKE-3', 'ECDH-ES+A256KW'] as const

/** The name of an algorithm, in configuration, on the wire and in receipts. */
export type SealingAlgorithm = (typeof sealingAlgorithms)[number]

/** `off`: in clear. `offered`: sealed to whoever can open it. `required`: sealed, or not at all. */
export const sealingModes = ['off', 'offered', 'required'] as const
export type SealingMode = (typeof sealingModes)[number]

/** True for a name that this version knows. */
export function isSealingAlgorithm(name: unknown): name is SealingAlgorithm {
  return (sealingAlgorithms as readonly unknown[]).includes(name)
}

/** Kinds of key agreement keys. An X25519 key serves two algorithms, whose key derivations differ in every input. */
export type AgreementKeyKind = 'X25519' | 'MLKEM768-X25519'

/** The kind of key that an algorithm seals to. */
export function keyKindOf(algorithm: SealingAlgorithm): AgreementKeyKind {
  return algorithm === 'HPKE-9' ? 'MLKEM768-X25519' : 'X25519'
}

/** One algorithm that somebody can open, with the key it would open it with. */
export interface SealingOffer {
  readonly algorithm: SealingAlgorithm
  /** DID URL of the key. */
  readonly keyid: string
}

/** The first of the sealer's own order that the other side offers. */
export function chooseOffer(
  preferred: readonly SealingAlgorithm[],
  offers: readonly SealingOffer[],
): SealingOffer | undefined {
  for (const algorithm of preferred) {
    const offer = offers.find((candidate) => candidate.algorithm === algorithm)
    if (offer !== undefined) return offer
  }
  return undefined
}

/** How an answer is to leave. */
export type AnswerSealing =
  | { readonly outcome: 'clear' }
  | { readonly outcome: 'sealed'; readonly offer: SealingOffer }
  /** The holder demands what the caller cannot open, or the caller demands what the holder does not do. */
  | { readonly outcome: 'refused'; readonly code: 'sealing-required' | 'sealing-unavailable'; readonly detail: string }

/** What the two sides say of an answer; `accepted` is undefined when the caller names nothing. */
export interface AnswerSealingFacts {
  readonly mode: SealingMode
  /** The holder's, in its order. */
  readonly algorithms: readonly SealingAlgorithm[]
  readonly accepted: { readonly offers: readonly SealingOffer[]; readonly isRequired: boolean } | undefined
}

/** INVARIANT: what either side requires is sealed or refused, never in clear. */
export function decideAnswerSealing({ mode, algorithms, accepted }: AnswerSealingFacts): AnswerSealing {
  if (mode === 'off') {
    return accepted?.isRequired === true
      ? { outcome: 'refused', code: 'sealing-unavailable', detail: 'answers of this product are not sealed' }
      : { outcome: 'clear' }
  }
  const offer = chooseOffer(algorithms, accepted?.offers ?? [])
  if (offer !== undefined) return { outcome: 'sealed', offer }
  if (mode === 'required') {
    const detail = 'answers of this product leave only sealed, and the request names no key and algorithm for that'
    return { outcome: 'refused', code: 'sealing-required', detail }
  }
  if (accepted?.isRequired === true) {
    const detail = 'no algorithm that the request names is one of this product'
    return { outcome: 'refused', code: 'sealing-unavailable', detail }
  }
  return { outcome: 'clear' }
}
