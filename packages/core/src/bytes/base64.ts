/** base64 with padding (RFC 4648 §4), as structured fields, signed notes and PEM write bytes. */
import { base64 } from '@scure/base'
import { Problem } from '../problems.ts'
import { nativeDecoder, nativeEncoder } from './native-bytes.ts'

const encodeNative = nativeEncoder('base64Slice')
const decodeNative = nativeDecoder('base64')

/** Padded base64 on one line. */
export function encodeBase64(bytes: Uint8Array): string {
  return encodeNative === undefined ? base64.encode(bytes) : encodeNative.call(bytes, 0, bytes.length)
}

/** The bytes of exactly one spelling: missing padding, white space, other alphabets and stray bits in the last
 *  character throw `malformed-request`. */
export function decodeBase64(text: string): Uint8Array {
  const bytes = decodeNative === undefined ? decodePortable(text) : decodeNative(text)
  if (bytes === undefined || encodeBase64(bytes) !== text) {
    throw new Problem('malformed-request', 'not canonical base64 with padding')
  }
  return bytes
}

function decodePortable(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text)
  } catch {
    return undefined
  }
}
