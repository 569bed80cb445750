/** JSON as two programs cannot read differently: UTF-8 without a byte order mark, no member twice, no half of a character,
 *  not too deep or wide (RFC 8259 §4, I-JSON RFC 7493 §2). */
import { isUtf8 } from 'node:buffer'
import { parseExactJson, plainJson } from '@comity/core/bytes/exact-json'
import { JsonFault } from '@comity/core/bytes/json-scan'

/** The value of a request's text, with the nearest doubles as its numbers, never infinity: what a schema can judge, as of
 *  answers. The text itself goes on. Throws `JsonFault`, whose message is fit for the author. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  return plainJson(parseExactJson(textOf(bytes)))
}

/** The value of an answer's text, every number as it was written; `plainJson` of it is what a schema can judge. Throws
 *  `JsonFault`. */
export function parseExactAnswer(bytes: Uint8Array): unknown {
  return parseExactJson(textOf(bytes))
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new JsonFault('invalid-utf8', 'is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
