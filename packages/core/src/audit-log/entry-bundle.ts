/** Entry bundles (c2sp.org/tlog-tiles): up to 256 log entries, each a big-endian uint16 length and its bytes. */
import { Problem } from '../problems.ts'

const lengthBytes = 2
const maxEntryBytes = 0xffff

/** Puts entries into a bundle. Throws `proof-invalid` for an entry over 65,535 bytes. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const total = entries.reduce((sum, entry) => sum + lengthBytes + entry.length, 0)
  const bundle = new Uint8Array(total)
  let at = 0
  for (const entry of entries) {
    if (entry.length > maxEntryBytes) throw new Problem('proof-invalid', 'a log entry is over 65,535 bytes')
    bundle[at] = entry.length >> 8
    bundle[at + 1] = entry.length & 0xff
    bundle.set(entry, at + lengthBytes)
    at += lengthBytes + entry.length
  }
  return bundle
}

/** Takes a bundle apart; the entries share its memory. Throws `proof-invalid` when it ends within an entry. */
export function parseEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bundle.length) {
    const start = at + lengthBytes
    if (start > bundle.length) throw new Problem('proof-invalid', 'the entry bundle ends within a length')
    const end = start + bundle[at]! * 256 + bundle[at + 1]!
    if (end > bundle.length) throw new Problem('proof-invalid', 'the entry bundle ends within an entry')
    entries.push(bundle.subarray(start, end))
    at = end
  }
  return entries
}
