/** Cosignatures (c2sp.org/tlog-cosignature, type 0x04): a witness states that, at a time, this checkpoint was the
 *  largest consistent one that it had seen of its origin. In a note the signature is a 64-bit big-endian time in
 *  POSIX seconds and 64 bytes of Ed25519 over
 *
 *      cosignature/v1
 *      time 1679315147
 *      …the checkpoint's text… */
import { importVerifyingKey } from '#crypto'
import { encodeBase64url } from '../bytes/base64url.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import type { NoteSignature, NoteVerifier } from './note.ts'
import { cosignatureType, verifierKey, type VerifierKey } from './verifier-key.ts'

const timeBytes = 8
const cosignatureBytes = timeBytes + 64

/** A cosignature taken apart. */
export interface Cosignature {
  /** POSIX seconds. */
  readonly time: number
  /** 64 bytes of Ed25519. */
  readonly signature: Uint8Array
}

function signedText(time: number, checkpointText: string): string {
  return `cosignature/v1\ntime ${time}\n${checkpointText}`
}

/** Reads the payload of a cosignature line. Throws `malformed-note` for another length or a time over 2⁵³ − 1. */
export function parseCosignature(payload: Uint8Array): Cosignature {
  if (payload.length !== cosignatureBytes) throw new Problem('malformed-note', 'a cosignature is not 72 bytes')
  const time = new DataView(payload.buffer, payload.byteOffset).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) throw new Problem('malformed-note', 'a cosignature is of no known time')
  return { time: Number(time), signature: payload.subarray(timeBytes) }
}

/** Cosigns a checkpoint's text under the witness's name; `time` in POSIX seconds. Throws `malformed-key` for a key
 *  that is not Ed25519. The caller has checked consistency with all that it cosigned of this origin before. */
export function cosignCheckpoint(
  checkpointText: string,
  witness: { name: string; key: SigningKey; time: number },
): NoteSignature {
  const { keyId } = verifierKey(witness.name, witness.key.publicJwk, cosignatureType)
  const payload = new Uint8Array(cosignatureBytes)
  new DataView(payload.buffer).setBigUint64(0, BigInt(witness.time))
  payload.set(witness.key.sign(signedText(witness.time, checkpointText)), timeBytes)
  return { name: witness.name, keyId, signature: payload }
}

/** Verifies cosignatures of a witness. Throws `malformed-key` for a verifier key of another type. */
export function cosignatureVerifier(key: VerifierKey): NoteVerifier {
  if (key.type !== cosignatureType) throw new Problem('malformed-key', `\`${key.name}\` is not a cosignature key`)
  const verifying = importVerifyingKey({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key.publicKey) })
  return {
    name: key.name,
    keyId: key.keyId,
    verify: (text, payload) => {
      if (payload.length !== cosignatureBytes) return false
      const { time, signature } = parseCosignature(payload)
      return verifying.verify(signedText(time, text), signature)
    },
  }
}
