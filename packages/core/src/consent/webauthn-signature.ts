/** Signatures as authenticators write them: P-256 in DER (WebAuthn §6.5.5), read strictly (X.690 §8.3, §10). */

const sequenceTag = 0x30
const integerTag = 0x02
const half = 32

/** r‖s, 64 bytes, of a DER `SEQUENCE { r INTEGER, s INTEGER }` from a stranger. Undefined for any other bytes: other
 *  tags, lengths that do not fit, integers that are negative, padded or longer than 32 bytes. */
export function p256SignatureOfDer(der: Uint8Array): Uint8Array | undefined {
  // Both integers have 33 bytes at most, so every length is one byte below 0x80.
  if (der[0] !== sequenceTag || der[1] !== der.length - 2 || der.length > 2 + 2 * (2 + half + 1)) return undefined
  const r = readInteger(der, 2)
  const s = r === undefined ? undefined : readInteger(der, r.end)
  if (r === undefined || s === undefined || s.end !== der.length) return undefined
  const signature = new Uint8Array(2 * half)
  signature.set(r.bytes, half - r.bytes.length)
  signature.set(s.bytes, 2 * half - s.bytes.length)
  return signature
}

function readInteger(der: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0
  const start = at + 2
  const end = start + length
  if (der[at] !== integerTag || length === 0 || end > der.length) return undefined
  const [first = 0, second = 0] = der.subarray(start, end)
  const isPadded = length > 1 && first === 0
  if (first >= 0x80 || (isPadded && second < 0x80)) return undefined
  const bytes = der.subarray(isPadded ? start + 1 : start, end)
  return bytes.length > half ? undefined : { bytes, end }
}
