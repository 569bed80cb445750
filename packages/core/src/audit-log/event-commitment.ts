/** What a log entry says of an event without telling the event: a salted commitment. The event's text and its salt
 *  are shown only to who may see them; erasing both leaves an entry that proves nothing about anyone, while every
 *  proof over the log still verifies.
 *
 *      entry       comity/v1 q3Jg…base64url of 32 bytes…
 *      commitment  SHA-256( "comity/v1/event" ‖ 0x00 ‖ salt (32 bytes) ‖ event text in UTF-8 ) */
import { sha256 } from '#crypto'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { utf8Bytes, utf8Text } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { hashBytes } from './merkle.ts'

/** Bytes of a salt. */
export const saltBytes = 32

const domain = utf8Bytes('comity/v1/event\0')
const headBytes = domain.length + saltBytes
/** Hashing input of events of usual length, used again and again: one copy of the text instead of three. */
const input = new Uint8Array(16_384)
input.set(domain)
const encoder = new TextEncoder()
/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const maxShortLength = Math.floor((input.length - headBytes) / 3)
const entryPrefix = 'comity/v1 '

/** Commitment to the event's text `body`, kept verbatim. Throws `proof-invalid` unless the salt is 32 bytes. */
export function eventCommitment(body: string, salt: Uint8Array): Uint8Array {
  if (salt.length !== saltBytes) throw new Problem('proof-invalid', 'the salt of an event is not 32 bytes')
  if (body.length > maxShortLength) return sha256(concatBytes(domain, salt, utf8Bytes(body)))
  input.set(salt, domain.length)
  const { written } = encoder.encodeInto(body, input.subarray(headBytes))
  return sha256(input.subarray(0, headBytes + written))
}

/** Log entry that holds a commitment, as UTF-8. */
export function eventEntry(commitment: Uint8Array): Uint8Array {
  return utf8Bytes(entryPrefix + encodeBase64url(commitment))
}

/** Commitment of a log entry. Throws `proof-invalid` for an entry of another form. */
export function parseEventEntry(entry: Uint8Array): Uint8Array {
  const commitment = readCommitment(entry)
  if (commitment?.length !== hashBytes) throw new Problem('proof-invalid', 'the log entry is not a Comity event')
  return commitment
}

function readCommitment(entry: Uint8Array): Uint8Array | undefined {
  try {
    const text = utf8Text(entry)
    return text.startsWith(entryPrefix) ? decodeBase64url(text.slice(entryPrefix.length)) : undefined
  } catch {
    return undefined
  }
}

/** Throws `proof-invalid` unless the entry is the commitment to this body with this salt. */
export function verifyEvent(event: { entry: Uint8Array; body: string; salt: Uint8Array }): void {
  if (!equalBytes(parseEventEntry(event.entry), eventCommitment(event.body, event.salt)))
    throw new Problem('proof-invalid', 'the event is not the one in the log')
}
