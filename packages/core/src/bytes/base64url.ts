/** base64url without padding (RFC 4648 §5, RFC 7515 §2), the only spelling Comity writes or reads in tokens. */
import { base64urlnopad } from '@scure/base'
import { Problem } from '../problems.ts'
import { nativeDecoder, nativeEncoder, nativeTextEncoder } from './native-bytes.ts'
import { utf8Bytes } from './utf8.ts'

const encodeNative = nativeEncoder('base64urlSlice')
const encodeTextNative = nativeTextEncoder()
const decodeNative = nativeDecoder('base64url')

/** Unpadded base64url. */
export function encodeBase64url(bytes: Uint8Array): string {
  return encodeNative === undefined ? base64urlnopad.encode(bytes) : encodeNative.call(bytes, 0, bytes.length)
}

/** Unpadded base64url of the text's UTF-8 bytes. */
export function encodeBase64urlText(text: string): string {
  return encodeTextNative === undefined ? encodeBase64url(utf8Bytes(text)) : encodeTextNative(text)
}

/** The bytes of exactly one spelling: padding, white space, other alphabets and stray bits in the last character
 *  throw `malformed-request`, so two texts never stand for the same bytes. */
export function decodeBase64url(text: string): Uint8Array {
  const bytes = decodeNative === undefined ? decodePortable(text) : decodeNative(text)
  if (bytes === undefined || encodeBase64url(bytes) !== text) {
    throw new Problem('malformed-request', 'not canonical base64url without padding')
  }
  return bytes
}

function decodePortable(text: string): Uint8Array | undefined {
  try {
    return base64urlnopad.decode(text)
  } catch {
    return undefined
  }
}
