/** Finds the secrets in the bytes of a file: as text where they are text, and by name where the file itself is one. */
import { basename } from 'node:path/posix'
import type { Finding } from './finding.ts'
import { scanText, type TextFindings } from './scan-text.ts'

/** What a scan makes of one file: `binary` was not looked into. */
export type BytesFindings = TextFindings & { readonly binary: boolean }

/** How many bytes tell whether a file is text, as git does it. */
const sampleBytes = 8_000

/** The text of the bytes, undefined when they are none. Bytes that are not UTF-8 do not hide those that are. */
export function textOf(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes
  // What some shells write by default.
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return bytes.subarray(0, sampleBytes).includes(0) ? undefined : new TextDecoder().decode(bytes)
}

/** `path` with slashes. */
export async function scanBytes(path: string, bytes: Uint8Array): Promise<BytesFindings> {
  const whole = secretFile(path, bytes)
  if (whole !== undefined) return { findings: [whole], ignored: 0, binary: false }
  const text = textOf(bytes)
  if (text === undefined) return { findings: [], ignored: 0, binary: true }
  return { ...(await scanText({ path, text })), binary: false }
}

/** Files of `comity init` that are a secret as a whole: 32 random bytes, or an admin token without a prefix. */
function secretFile(path: string, bytes: Uint8Array): Finding | undefined {
  const name = basename(path)
  const isKeyFile = name === 'key-file' && bytes.length === 32
  const isToken = name === 'admin.token' && /^[\w-]{43}\r?\n?$/.test(Buffer.from(bytes).toString('latin1'))
  if (!isKeyFile && !isToken) return undefined
  return { rule: isKeyFile ? 'comity-key-file' : 'comity-admin-token', line: 1, column: 1, excerpt: '…' }
}
