/** The DID documents that a bundle of evidence is checked with, and how far each can be trusted. */
import { importVerifyingKey } from '#crypto'
import type { VerifyingKey } from '../crypto/crypto.ts'
import { parseDid } from '../identity/did.ts'
import {
  findVerificationMethod,
  parseDidDocument,
  type DidDocument,
  type VerificationPurpose,
} from '../identity/did-document.ts'
import { didJwkDocument } from '../identity/did-jwk.ts'
import { didKeyDocument } from '../identity/did-key.ts'
import { Problem } from '../problems.ts'

/** When a key was used, and for what it may have been: any of the purposes will do. */
export interface EvidenceKeyUse {
  readonly purposes: readonly VerificationPurpose[]
  readonly atMs: number
}

/** Documents of a DID that carries its own key are made from it; others come from the verifier before the bundle. */
export class EvidenceDocuments {
  readonly #bundled: readonly { readonly id: string }[]
  readonly #trusted: readonly DidDocument[]
  readonly #notes: { assume(sentence: string): void }

  constructor(
    bundled: readonly { readonly id: string }[],
    trusted: readonly DidDocument[],
    notes: { assume(sentence: string): void },
  ) {
    this.#bundled = bundled
    this.#trusted = trusted
    this.#notes = notes
  }

  /** The document of a DID. Throws `did-unresolvable` when there is none, `did-invalid` when it is malformed. */
  document(did: string): DidDocument {
    const { method } = parseDid(did)
    if (method === 'key') return didKeyDocument(did)
    if (method === 'jwk') return didJwkDocument(did)
    const trusted = this.#trusted.find(({ id }) => id === did)
    if (trusted !== undefined) return trusted
    const [bundled, second] = this.#bundled.filter(({ id }) => id === did)
    if (bundled === undefined) throw new Problem('did-unresolvable', `there is no DID document of \`${did}\``)
    if (second !== undefined) throw new Problem('did-invalid', `there are two DID documents of \`${did}\``)
    this.#notes.assume(`the DID document of \`${did}\` is the one in the bundle: compare it with the published one`)
    return parseDidDocument(bundled, did)
  }

  /** The key of a DID URL for one of the purposes at that time. Throws `key-unknown`, and what `document` throws. */
  key(keyid: string, did: string, use: EvidenceKeyUse): VerifyingKey {
    const document = this.document(did)
    let refusal: unknown
    for (const purpose of use.purposes) {
      try {
        return importVerifyingKey(findVerificationMethod(document, keyid, { purpose, atMs: use.atMs }).jwk)
      } catch (error) {
        refusal ??= error
      }
    }
    throw refusal
  }
}
