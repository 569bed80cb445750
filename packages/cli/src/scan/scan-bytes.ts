/** Finds the secrets in the bytes of a file: as text where they are text, Comity's own keys in any bytes, and by name
 *  where the file itself is one. */
import { basename } from 'node:path/posix'
import type { Finding } from './finding.ts'
import { keysInBytes, type ReadAs } from './keys-in-bytes.ts'
import { scanText, type TextFindings } from './scan-text.ts'

/** What a scan makes of one file: in a `binary` one only Comity's own keys were looked for. */
export type BytesFindings = TextFindings & { readonly binary: boolean }

/** How many bytes tell whether a file is text, as git does it. */
const sampleBytes = 8_000

/** The encoding that the bytes are a text in; `none` when they are no text. */
function encodingOf(bytes: Uint8Array): ReadAs {
  const [first, second] = bytes
  // What some shells write by default.
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  const sample = bytes.subarray(0, sampleBytes)
  return sample.includes(0) ? wideEncodingOf(sample) : 'utf-8'
}

/** Less of UTF-16 has no room for a secret, and a few NULs among few bytes say nothing. */
const leastWideBytes = 32

/** UTF-16 without a mark, when half of the letters at least are of ASCII: every other byte is then NUL, and no other is. */
function wideEncodingOf(sample: Uint8Array): ReadAs {
  const zeros = [0, 0] as [number, number]
  for (const [index, byte] of sample.entries()) if (byte === 0) zeros[(index % 2) as 0 | 1] += 1
  const [even, odd] = zeros
  if (sample.length < leastWideBytes || even + odd < sample.length / 4) return 'none'
  if (even === 0) return 'utf-16le'
  return odd === 0 ? 'utf-16be' : 'none'
}

/** The text of the bytes, undefined when they are none. Bytes that are not UTF-8 do not hide those that are. */
export function textOf(bytes: Uint8Array, encoding: ReadAs = encodingOf(bytes)): string | undefined {
  return encoding === 'none' ? undefined : new TextDecoder(encoding).decode(bytes)
}

/** `path` with slashes. */
export async function scanBytes(path: string, bytes: Uint8Array): Promise<BytesFindings> {
  const whole = secretFile(path, bytes)
  if (whole !== undefined) return { findings: [whole], ignored: 0, binary: false }
  const encoding = encodingOf(bytes)
  const text = textOf(bytes, encoding)
  const hidden = keysInBytes(bytes, encoding)
  if (text === undefined) return { findings: hidden, ignored: 0, binary: true }
  const { findings, ignored } = await scanText({ path, text })
  return { findings: [...findings, ...hidden], ignored, binary: false }
}

/** Files of `comity init` that are a secret as a whole: 32 random bytes, or an admin token without a prefix. */
function secretFile(path: string, bytes: Uint8Array): Finding | undefined {
  const name = basename(path)
  const isKeyFile = name === 'key-file' && bytes.length === 32
  const isToken = name === 'admin.token' && /^[\w-]{43}\r?\n?$/.test(Buffer.from(bytes).toString('latin1'))
  if (!isKeyFile && !isToken) return undefined
  return { rule: isKeyFile ? 'comity-key-file' : 'comity-admin-token', line: 1, column: 1, excerpt: '…' }
}
