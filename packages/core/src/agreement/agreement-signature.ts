/** The document that travels: an agreement and the detached signatures (RFC 7515 appendix F) of its two parties over
 *  its canonical form (RFC 8785), each by a key that the party's DID document lists for `assertionMethod`:
 *
 *    { "agreement": { … }, "signatures": [{ "signer": "did:web:a.example", "jws": "eyJ…..c2ln" }] } */
import { z } from 'zod'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { didOfKeyId } from '../identity/did.ts'
import { verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { parseDetachedJws, signDetachedJws } from '../jws/detached.ts'
import { Problem } from '../problems.ts'
import {
  canonicalAgreement,
  malformedAgreement,
  parseAgreement,
  zodErrors,
  type AgreementDocument,
} from './agreement.ts'

/** `typ` of a signature's header. */
export const agreementSignatureType = 'comity-agreement+jws'

export interface AgreementSignature {
  /** DID of a party. */
  readonly signer: string
  /** `<header>..<signature>`; the header's `kid` names the key, `iat` the second of signing. */
  readonly jws: string
}

export interface AgreementEnvelope {
  readonly agreement: AgreementDocument
  readonly signatures: readonly AgreementSignature[]
}

/** Gives the key that a participant's DID document lists for `assertionMethod`; `atMs` is when it was used. */
export type ResolveAssertionKey = (keyid: string, atMs: number) => Promise<VerifyingKey>

/** The document as it travels, what it says not judged yet. */
export const agreementEnvelopeSchema = z.strictObject({
  agreement: z.unknown(),
  signatures: z.array(z.strictObject({ signer: z.string().max(2048), jws: z.string().max(8192) })).max(2),
})

/** Reads a JSON value. Throws `agreement-malformed`; no signature is verified. */
export function parseAgreementEnvelope(value: unknown): AgreementEnvelope {
  const result = agreementEnvelopeSchema.safeParse(value)
  if (!result.success) throw malformedAgreement(zodErrors(result.error))
  const agreement = parseAgreement(result.data.agreement)
  const { signatures } = result.data
  const parties = [agreement.assigner, agreement.assignee]
  for (const [index, { signer }] of signatures.entries()) {
    const pointer = `/signatures/${index}/signer`
    if (!parties.includes(signer)) throw malformedAgreement([{ pointer, detail: 'not a party of the agreement' }])
    if (signatures.findIndex((other) => other.signer === signer) !== index) {
      throw malformedAgreement([{ pointer, detail: 'signs twice' }])
    }
  }
  return { agreement, signatures }
}

/** Adds a party's signature, in place of the one it may have given before. Throws `agreement-malformed` when the
 *  key's DID is no party. */
export function signAgreement(
  envelope: AgreementEnvelope,
  signer: { readonly keyid: string; readonly key: SigningKey },
  signedAtMs: number,
): AgreementEnvelope {
  const { agreement, signatures } = envelope
  const did = didOfKeyId(signer.keyid)
  if (did !== agreement.assigner && did !== agreement.assignee) {
    throw new Problem('agreement-malformed', `\`${did}\` is not a party of the agreement`)
  }
  const jws = signDetachedJws({
    key: signer.key,
    header: { typ: agreementSignatureType, kid: signer.keyid, iat: Math.floor(signedAtMs / 1000) },
    payload: canonicalAgreement(agreement),
  })
  return { agreement, signatures: [...signatures.filter((other) => other.signer !== did), { signer: did, jws }] }
}

/** Returns when both parties have signed exactly this document. Throws `agreement-signature` naming the party whose
 *  signature is missing or does not verify, and what `resolveKey` throws when a key cannot be had. */
export async function verifyAgreement(envelope: AgreementEnvelope, resolveKey: ResolveAssertionKey): Promise<void> {
  const { agreement } = envelope
  const canonical = canonicalAgreement(agreement)
  const parsed = [agreement.assigner, agreement.assignee].map((party) =>
    parsePartySignature(envelope, party, canonical),
  )
  for (const { party, jws, keyid, signedAtMs } of parsed) {
    const key = await resolveKey(keyid, signedAtMs)
    refusing(party, () => verifyCompactJws(jws, key))
  }
}

interface PartySignature {
  readonly party: string
  readonly jws: ParsedJws
  readonly keyid: string
  readonly signedAtMs: number
}

function parsePartySignature({ signatures }: AgreementEnvelope, party: string, canonical: string): PartySignature {
  const signature = signatures.find(({ signer }) => signer === party)
  if (signature === undefined) throw new Problem('agreement-signature', `\`${party}\` has not signed`)
  return refusing(party, () => {
    const jws = parseDetachedJws(signature.jws, canonical, { typ: agreementSignatureType })
    const { kid = '', iat } = jws.header
    if (didOfKeyId(kid) !== party) throw new Problem('key-unknown', 'the key is not the one of the signer')
    if (typeof iat !== 'number' || !Number.isSafeInteger(iat)) throw new Problem('malformed-jws', '`iat` is missing')
    return { party, jws, keyid: kid, signedAtMs: iat * 1000 }
  })
}

function refusing<T>(party: string, step: () => T): T {
  try {
    return step()
  } catch (cause) {
    const reason = cause instanceof Problem ? cause.message : 'it cannot be read'
    throw new Problem('agreement-signature', `the signature of \`${party}\` is not valid: ${reason}`, { cause })
  }
}
