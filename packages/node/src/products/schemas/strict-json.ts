/** JSON as two programs cannot read differently: UTF-8 without a byte order mark, no member twice, not too deep
 *  (RFC 8259 §4, I-JSON RFC 7493 §2.3). */
import { isUtf8 } from 'node:buffer'

/** Why a text was refused; the message is fit for its author. */
export class JsonFault extends Error {}

/** Objects and arrays inside each other. */
export const maxJsonDepth = 64

/** The value of a JSON text. Throws `JsonFault`. */
export function parseStrictJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new JsonFault('is not UTF-8')
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new JsonFault('is not JSON')
  }
  if (typeof value === 'object' && value !== null) refuseDuplicates(text)
  return value
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Walks over a text that is known to be JSON, so only its structure has to be told apart. */
function refuseDuplicates(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let members: Set<string> | undefined
  let expectName = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) {
      const end = endOfString(text, index)
      if (expectName && members !== undefined) addName(members, text, { from: index, end })
      expectName = false
      index = end
    } else if (code === comma) {
      expectName = members !== undefined
    } else if (code === openBrace || code === openBracket) {
      if (open.length >= maxJsonDepth) throw new JsonFault(`is nested deeper than ${maxJsonDepth}`)
      expectName = code === openBrace
      members = expectName ? new Set() : undefined
      open.push(members)
    } else if (code === closeBrace || code === closeBracket) {
      open.pop()
      members = open.at(-1)
      expectName = false
    }
  }
}

/** Index of the quote that ends the string beginning at `from`. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++
  return slashes % 2 === 1
}

function addName(members: Set<string>, text: string, { from, end }: { from: number; end: number }): void {
  const raw = text.slice(from + 1, end)
  const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
  if (members.has(name)) throw new JsonFault('has a member twice')
  members.add(name)
}
