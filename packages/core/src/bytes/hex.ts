/** Hexadecimal in lower case (RFC 4648 §8, in the case that hashes are usually written). */
import { hex } from '@scure/base'
import { Problem } from '../problems.ts'
import { nativeEncoder } from './native-bytes.ts'

const encodeNative = nativeEncoder('hexSlice')

/** Two lower-case digits a byte. */
export function encodeHex(bytes: Uint8Array): string {
  return encodeNative === undefined ? hex.encode(bytes) : encodeNative.call(bytes, 0, bytes.length)
}

/** The bytes of lower-case hexadecimal; upper case and an odd number of digits throw `malformed-request`. */
export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new Problem('malformed-request', 'not lower-case hexadecimal')
  }
  return hex.decode(text)
}
