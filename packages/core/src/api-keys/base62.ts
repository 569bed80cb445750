/** Base62: digits, capitals, small letters. A text of it is selected whole by a double click. */
import type { RandomBytes } from '../ports.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Bytes from here on would make the first characters more likely. */
const evenBytes = 248

/** So many characters, each as likely as any other: 5.95 bits each. */
export function randomBase62(length: number, randomBytes: RandomBytes): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < evenBytes && text.length < length) text += alphabet.charAt(byte % alphabet.length)
    }
  }
  return text
}

/** A number below 2^53, most significant digit first, filled up with zeros. */
export function formatBase62(number: number, length: number): string {
  let text = ''
  for (let rest = number; rest > 0; rest = Math.floor(rest / alphabet.length)) {
    text = alphabet.charAt(rest % alphabet.length) + text
  }
  return text.padStart(length, '0')
}
