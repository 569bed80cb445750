/** Passkeys with RSA keys (COSE algorithm -257, RFC 8812 §2), which some devices make and no others: RSASSA-PKCS1-v1_5
 *  with SHA-256 (RFC 8017 §8.2.2), verified the same everywhere. Keys of nodes are never of this kind. */
import { sha256 } from '#crypto'
import { decodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { decodeHex, encodeHex } from '../bytes/hex.ts'
import { Problem } from '../problems.ts'

/** An RSA public key as a JWK (RFC 7518 §6.3.1). */
export interface RsaJwk {
  readonly kty: 'RSA'
  /** Modulus, 2048 to 4096 bits, base64url. */
  readonly n: string
  /** Exponent, base64url. */
  readonly e: string
}

// DER of DigestInfo up to the hash (RFC 8017 §9.2, note 1).
const digestInfo = decodeHex('3031300d060960864801650304020105000420')
const minModulusBytes = 256
const maxModulusBytes = 512
const maxExponentBytes = 4

/** The key with its defined members only. Throws `malformed-key` for one that is shorter or longer than devices make,
 *  or not in its only spelling. */
export function rsaPublicKey({ kty, n, e }: Readonly<Record<string, unknown>>): RsaJwk {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') throw malformed('it is no RSA key')
  const [modulus, exponent] = [unsigned(n), unsigned(e)]
  if (modulus.length < minModulusBytes || modulus.length > maxModulusBytes) throw malformed('`n` has another length')
  // The first byte counts in full, so that no key is weaker than its length says.
  if ((modulus[0] ?? 0) < 0x80 || isEven(modulus)) throw malformed('`n` is no modulus')
  if (exponent.length > maxExponentBytes || isEven(exponent) || bigEndian(exponent) < 3n) {
    throw malformed('`e` is no exponent')
  }
  return { kty, n, e }
}

/** True when the signature is the key's over the data. Throws `malformed-key`. */
export function verifyRs256(key: RsaJwk, data: Uint8Array, signature: Uint8Array): boolean {
  const { n, e } = rsaPublicKey({ ...key })
  const modulusBytes = unsigned(n)
  const modulus = bigEndian(modulusBytes)
  const value = bigEndian(signature)
  if (signature.length !== modulusBytes.length || value >= modulus) return false
  const message = power(value, bigEndian(unsigned(e)), modulus)
  const written = decodeHex(message.toString(16).padStart(2 * modulusBytes.length, '0'))
  // What must be there is written and compared whole (§8.2.2, step 4): nothing of a stranger is taken apart.
  return equalBytes(written, encoded(data, modulusBytes.length))
}

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2). */
function encoded(data: Uint8Array, length: number): Uint8Array {
  const tail = concatBytes(digestInfo, sha256(data))
  const padding = new Uint8Array(length - tail.length - 3).fill(0xff)
  return concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), tail)
}

/** base ^ exponent mod modulus. Everything in it is public, so that its time may tell. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

/** Bytes of a `Base64urlUInt`: no zero in front. */
function unsigned(text: string): Uint8Array {
  const bytes = decodeBase64url(text)
  if (bytes.length === 0 || bytes[0] === 0) throw malformed('a number begins with zero')
  return bytes
}

const isEven = (bytes: Uint8Array) => ((bytes.at(-1) ?? 0) & 1) === 0

function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x0${encodeHex(bytes)}`)
}

function malformed(detail: string): Problem {
  return new Problem('malformed-key', detail)
}
