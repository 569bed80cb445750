/** Verifies what shows that a record is the grantor's will and that the holder vouches for it. */
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { formatDateTime } from '../agreement/date-time.ts'
import { parseJson } from '../bytes/json.ts'
import { didOfKeyId } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, verifyCompactJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { proofSchema } from './consent-proof-schema.ts'
import type { ConsentProof, ConsentRecord } from './consent-record.ts'
import { momentMs, parseAs } from './consent-texts.ts'
import { recordHash } from './parse-record.ts'
import { verifyAssertion, type PasskeyFacts } from './webauthn-assertion.ts'

/** `typ` of the holder's proof. */
export const holderProofType = 'comity-consent-proof+jws'

/** What the verifier knows. A proof of a kind that nothing is known for does not verify. */
export interface ProofFacts {
  /** The holder's key that the proof names (`proofKeyId`). */
  readonly holderKey?: VerifyingKey | undefined
  /** What a passkey's assertion must say. */
  readonly passkey?: PasskeyFacts | undefined
}

/** Returns when the proof is over the hash of the record (`recordHash`). Of a `link` or a `session` there is nothing to
 *  verify but its shape: they are the holder's word. Throws `consent-proof-invalid`. */
export function verifyConsentProof(proof: ConsentProof, hash: string, facts: ProofFacts): void {
  const checked = parseAs(proofSchema, proof, 'consent-proof-invalid')
  if (checked.type === 'jws') verifyHolderProof(checked, hash, facts.holderKey)
  if (checked.type === 'webauthn') {
    if (facts.passkey === undefined) throw invalid('passkeys are not known here')
    verifyAssertion(checked.value, hash, facts.passkey)
  }
}

/** DID URL of the key that a holder's proof names, not proven yet. Throws `consent-proof-invalid`. */
export function proofKeyId(proof: ConsentProof & { readonly type: 'jws' }): string {
  return refusing(() => parseCompactJws(proof.value, { typ: holderProofType })).header.kid ?? ''
}

/** The holder's proof over a record. `atMs` is now; the record's `createdAt` when left out. */
export function holderProof(
  record: ConsentRecord,
  signer: { readonly keyid: string; readonly key: SigningKey },
  atMs: number = momentMs(record.createdAt),
): ConsentProof & { readonly type: 'jws' } {
  const iat = Math.floor(atMs / 1000)
  const value = signCompactJws({
    key: signer.key,
    header: { typ: holderProofType, kid: signer.keyid, iat },
    payload: JSON.stringify({ hash: recordHash(record) }),
  })
  return { by: didOfKeyId(signer.keyid), role: 'holder', type: 'jws', at: formatDateTime(iat * 1000), value }
}

function verifyHolderProof(
  proof: ConsentProof & { readonly type: 'jws' },
  hash: string,
  key: VerifyingKey | undefined,
): void {
  if (key === undefined) throw invalid("the holder's key is not known")
  refusing(() => {
    const jws = parseCompactJws(proof.value, { typ: holderProofType })
    if (didOfKeyId(jws.header.kid ?? '') !== proof.by) throw invalid('the key is not one of the holder')
    if (typeof jws.header['iat'] !== 'number' || jws.header['iat'] * 1000 !== momentMs(proof.at)) {
      throw invalid('the time is not the one that was signed')
    }
    if (!isHashOf(parseJson(jws.payloadText), hash)) throw invalid('it is over another record')
    verifyCompactJws(jws, key)
  })
}

function isHashOf(payload: unknown, hash: string): boolean {
  if (typeof payload !== 'object' || payload === null) return false
  const members = Object.entries(payload)
  return members.length === 1 && members[0]?.[0] === 'hash' && members[0][1] === hash
}

function refusing<T>(step: () => T): T {
  try {
    return step()
  } catch (cause) {
    throw invalid(cause instanceof Problem ? cause.message : 'it cannot be read', cause)
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('consent-proof-invalid', detail, { cause })
}
