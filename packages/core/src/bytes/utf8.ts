/** Text as UTF-8 and back. */
import { Problem } from '../problems.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes; a lone surrogate becomes U+FFFD, as everywhere on the web. */
export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text of well-formed UTF-8. A byte order mark is kept as a character, so encoding gives the same bytes.
 *  Throws `malformed-request` otherwise. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new Problem('malformed-request', 'not well-formed UTF-8', { cause })
  }
}
