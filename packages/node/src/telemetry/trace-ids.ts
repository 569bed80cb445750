/** Ids of traces and spans: random, never all zero. */

/** Lower-case hex. All zero, which W3C Trace Context forbids, becomes a one. */
export function hexOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return /^0+$/.test(text) ? `${text.slice(0, -1)}1` : text
}
