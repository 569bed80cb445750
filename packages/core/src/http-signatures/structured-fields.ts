/** Structured fields (RFC 9651) as signatures need them: parsed by the library, refused where two parsers could
 *  read them differently. */
import {
  DisplayString,
  parseDictionary,
  parseList,
  serializeDictionary,
  serializeList,
  type Dictionary,
} from 'structured-headers'
import { Problem, type ProblemCode } from '../problems.ts'

/** Longest field that is parsed here, in characters; the real ones have a few hundred. */
export const maxFieldLength = 16_384

const whitespace = /[ \t]+/g

/** Parses a dictionary field that is canonical but for optional whitespace: no member or parameter twice, no
 *  padding left out, no leading zeros. Throws a problem of `code` that names `field`. */
export function parseStrictDictionary(field: string, value: string, code: ProblemCode): Dictionary {
  if (value.length > maxFieldLength) throw new Problem(code, `the field \`${field}\` is too long`)
  let dictionary: Dictionary
  let canonical: string
  try {
    dictionary = parseDictionary(value)
    canonical = serializeDictionary(dictionary)
  } catch (cause) {
    throw new Problem(code, `the field \`${field}\` is not a dictionary of RFC 9651`, { cause })
  }
  // A parser silently keeps the last of two equal keys; what it dropped shows up as a shorter text.
  if (canonical.replace(whitespace, '') !== value.replace(whitespace, '')) {
    throw new Problem(code, `the field \`${field}\` repeats a key or is not in its canonical form`)
  }
  return dictionary
}

/** A list of strings (RFC 9651 §3.1); those that are not printable ASCII are Display Strings (§3.3.8). */
export function formatStringList(list: readonly string[]): string {
  return serializeList(list.map((text) => [/^[ -~]*$/.test(text) ? text : new DisplayString(text), new Map()]))
}

/** The strings of such a list, in order; undefined for a field that is none. */
export function parseStringList(value: string): string[] | undefined {
  if (value.length > maxFieldLength) return undefined
  try {
    const texts = parseList(value).map(([item]) => (item instanceof DisplayString ? item.toString() : item))
    return texts.every((text) => typeof text === 'string') ? texts : undefined
  } catch {
    return undefined
  }
}
