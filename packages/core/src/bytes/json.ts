/** JSON from strangers: one text, one meaning. Parsers differ on repeated member names, so those are refused
 *  (RFC 8259 §4, RFC 7515 §4, I-JSON RFC 7493 §2.3). */
import { Problem } from '../problems.ts'

/** The value of a JSON text. Throws `malformed-request` for bad syntax and for an object that names a member twice,
 *  in whatever spelling of escapes, at whatever depth. */
export function parseJson(text: string): unknown {
  const value = valueOf(text)
  const name = duplicateName(text)
  if (name !== undefined) throw new Problem('malformed-request', `the JSON names the member \`${name}\` twice`)
  return value
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Problem('malformed-request', 'not well-formed JSON', { cause })
  }
}

// INVARIANT: `text` is well-formed JSON, so a string that a colon follows is a name of the innermost open object.
function duplicateName(text: string): string | undefined {
  const tokens = /["{}]/g
  const open: Set<string>[] = []
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '{') open.push(new Set())
    else if (token[0] === '}') open.pop()
    else {
      const end = endOfString(text, token.index)
      tokens.lastIndex = end
      if (!isName(text, end)) continue
      const name = JSON.parse(text.slice(token.index, end)) as string
      const names = open.at(-1)
      if (names?.has(name)) return name
      names?.add(name)
    }
  }
  return undefined
}

// The index after the closing quote. No regular expression: a long string would exhaust its stack.
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1)
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

function isName(text: string, end: number): boolean {
  let next = end
  while (next < text.length && text.charCodeAt(next) <= 0x20) next++
  return text[next] === ':'
}
