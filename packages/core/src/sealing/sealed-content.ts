/** What is inside an envelope: a salt, the header fields that describe the content, and the content itself. The salt
 *  makes the receipt's commitment to it: who has the content and the salt can show that it was this one, and nobody can
 *  guess the content from the receipt.
 *
 *      salt (32 bytes) ‖ length of fields (4 bytes, big-endian) ‖ fields (JSON, names in lower case) ‖ content */
import { sha256 } from '#crypto'
import { z } from 'zod'
import { encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { parseJson } from '../bytes/json.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'

/** Bytes of a salt. */
export const saltBytes = 32
const lengthBytes = 4
const maxFieldsBytes = 32_768

/** Header fields that travel inside: they tell what the content is, or are made from it. */
export const innerFields: readonly string[] = [
  'content-type',
  'content-language',
  'content-location',
  'etag',
  'last-modified',
  'link',
  'location',
]

/** Content with the fields that describe it. */
export interface SealedContent {
  /** By lower-case name; only names of `innerFields`. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What shows that a receipt is about some content: 32 bytes, the fields' exact text, and the content's hash. */
export interface ContentOpening {
  readonly salt: Uint8Array
  readonly fields: string
  /** SHA-256 of the content, 32 bytes. */
  readonly bodyHash: Uint8Array
}

const fieldsSchema = z.partialRecord(z.enum(innerFields as [string, ...string[]]), z.string().max(16_384))

/** The bytes to seal, and what opens the commitment to them. */
export function encodeContent(
  { fields, body }: SealedContent,
  salt: Uint8Array,
): { readonly bytes: Uint8Array; readonly opening: ContentOpening } {
  if (salt.length !== saltBytes) throw new Error(`a salt has ${saltBytes} bytes`)
  const text = JSON.stringify(fields)
  const encoded = utf8Bytes(text)
  const length = new Uint8Array(lengthBytes)
  new DataView(length.buffer).setUint32(0, encoded.length)
  return { bytes: concatBytes(salt, length, encoded, body), opening: { salt, fields: text, bodyHash: sha256(body) } }
}

/** Reads what `encodeContent` made. Throws `unseal-failed`. */
export function decodeContent(bytes: Uint8Array): {
  readonly content: SealedContent
  readonly opening: ContentOpening
} {
  const start = saltBytes + lengthBytes
  if (bytes.length < start) throw unreadable()
  const length = new DataView(bytes.buffer, bytes.byteOffset + saltBytes, lengthBytes).getUint32(0)
  if (length > maxFieldsBytes || bytes.length < start + length) throw unreadable()
  const text = fieldsText(bytes.subarray(start, start + length))
  const body = bytes.subarray(start + length)
  const opening = { salt: bytes.slice(0, saltBytes), fields: text, bodyHash: sha256(body) }
  return { content: { fields: parseFields(text), body }, opening }
}

function fieldsText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw unreadable(cause)
  }
}

function parseFields(text: string): Readonly<Record<string, string>> {
  try {
    const fields = fieldsSchema.parse(parseJson(text))
    if (Object.values(fields).some((value) => /[^\t\x20-\x7e]/.test(value ?? ''))) throw unreadable()
    return fields as Record<string, string>
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** The commitment that a receipt states: base64url of SHA-256 over salt, hash of the fields' text, hash of the content. */
export function commitmentTo({ salt, fields, bodyHash }: ContentOpening): string {
  return encodeBase64url(sha256(concatBytes(salt, sha256(fields), bodyHash)))
}

function unreadable(cause?: unknown): Problem {
  return new Problem('unseal-failed', 'the sealed content cannot be opened', { cause })
}
