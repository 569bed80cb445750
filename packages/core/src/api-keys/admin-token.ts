/** Admin tokens as text: `cmty_admin_`, 43 characters of base62 (256 bits) and the CRC-32 of all before it in base62, so
 *  that a scanner of leaked secrets knows one when it meets it. A node takes any text as its token. */
import type { RandomBytes } from '../ports.ts'
import { formatBase62, randomBase62 } from './base62.ts'
import { crc32 } from './crc32.ts'

const prefix = 'cmty_admin_'
const secretLength = 43
const checksumLength = 6

/** For secret scanners, in the dialect of RE2, PCRE and ECMAScript. What it finds is a token when `isAdminToken` says so. */
export const adminTokenPattern = `${prefix}[0-9A-Za-z]{${secretLength + checksumLength}}`

const whole = new RegExp(`^${adminTokenPattern}$`)

/** A fresh token. */
export function newAdminToken(randomBytes: RandomBytes): string {
  const text = prefix + randomBase62(secretLength, randomBytes)
  return text + checksumOf(text)
}

/** True for a text of that shape whose checksum is right. */
export function isAdminToken(text: string): boolean {
  return whole.test(text) && checksumOf(text.slice(0, -checksumLength)) === text.slice(-checksumLength)
}

function checksumOf(text: string): string {
  return formatBase62(crc32(text), checksumLength)
}
