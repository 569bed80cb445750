/** Comity's own keys in bytes that are no text, or not all of one encoding: a database, a core dump, a log that two
 *  programs wrote to. Their checksum tells them from everything else, so they may be looked for anywhere. */
import { keyIn, type FoundKey } from './api-key-rule.ts'
import { encodedKeys } from './encoded-secrets.ts'
import { told, type Finding } from './finding.ts'

/** What of the bytes was looked through as text already: none of it, or all that stands in this encoding. */
export type ReadAs = 'none' | 'utf-8' | 'utf-16le' | 'utf-16be'

/** How every key and token begins, with one byte for a letter and with two. The second is cut before the last byte, so
 *  that it is the same in both byte orders. */
const narrowStart = Buffer.from('cmty_')
const wideStart = Buffer.from('cmty_', 'utf16le').subarray(0, -1)

/** Letters of the longest, and a few. */
const maxLetters = 64

/** Those that reading as text did not show. They stand in line 1, at the column of their byte, from 1. */
export function keysInBytes(bytes: Uint8Array, readAs: ReadAs): Finding[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const findings: Finding[] = []
  if (readAs !== 'utf-8') {
    for (const at of placesOf(narrowStart, buffer)) {
      const found = keyIn(buffer.toString('latin1', at, at + maxLetters))
      if (found !== undefined) findings.push(findingAt(at, found))
    }
    const text = buffer.toString('latin1')
    for (const match of encodedKeys(text)) findings.push(findingAt(match.start, { text, match }))
  }
  for (const at of placesOf(wideStart, buffer)) {
    const letters = buffer.subarray(at, at + 2 * maxLetters).filter((_, index) => index % 2 === 0)
    const found = keyIn(Buffer.from(letters).toString('latin1'))
    if (found === undefined || isRead(buffer, { at, letters: found.match.end, readAs })) continue
    findings.push(findingAt(at, found))
  }
  return findings.toSorted((one, other) => one.column - other.column)
}

function* placesOf(start: Buffer, buffer: Buffer): Generator<number> {
  for (let at = buffer.indexOf(start); at !== -1; at = buffer.indexOf(start, at + 1)) yield at
}

function findingAt(at: number, { text, match }: FoundKey): Finding {
  return { line: 1, column: at + 1, ...told(text, match) }
}

interface WidePlace {
  /** Of the first letter. */
  readonly at: number
  readonly letters: number
  readonly readAs: ReadAs
}

/** Whether these letters stand so in the text that the bytes were read as. */
function isRead(buffer: Buffer, { at, letters, readAs }: WidePlace): boolean {
  if (readAs !== 'utf-16le' && readAs !== 'utf-16be') return false
  const isLittle = readAs === 'utf-16le'
  if (at % 2 !== (isLittle ? 0 : 1)) return false
  const high = isLittle ? at + 1 : at - 1
  return Array.from({ length: letters }, (_, index) => buffer[high + 2 * index]).every((byte) => byte === 0)
}
