/** Replacing one value in a JSON text without touching another character: numbers keep every digit, which reading and
 *  writing the whole text would not. */

const quote = 0x22
const backslash = 0x5c

/** The text with the value at the end of the member names replaced by another JSON text. INVARIANT: the text is
 *  well-formed, names no member twice, and has objects on the way to the value. */
export function spliceMember(text: string, names: readonly string[], replacement: string): string {
  let from = afterSpace(text, 0)
  for (const name of names) from = valueOfMember(text, from, name)
  return text.slice(0, from) + replacement + text.slice(endOfValue(text, from))
}

/** Where the value of a member begins; `object` is the place of the brace. */
function valueOfMember(text: string, object: number, name: string): number {
  let at = afterSpace(text, object + 1)
  while (text.charCodeAt(at) === quote) {
    const end = endOfString(text, at)
    const value = afterSpace(text, afterSpace(text, end) + 1)
    if (JSON.parse(text.slice(at, end)) === name) return value
    at = afterSpace(text, afterSpace(text, endOfValue(text, value)) + 1)
  }
  throw new Error('the value to be replaced is not there')
}

function afterSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** After the last character of the value that begins here. */
function endOfValue(text: string, from: number): number {
  if (text.charCodeAt(from) === quote) return endOfString(text, from)
  let [at, open] = [from, 0]
  for (; at < text.length; at++) {
    const character = text[at] as string
    if (character === '"') at = endOfString(text, at) - 1
    else if (character === '{' || character === '[') open++
    else if (character === '}' || character === ']') {
      if (open === 0) return at
      if (--open === 0) return at + 1
    } else if (open === 0 && (character === ',' || character <= ' ')) return at
  }
  return at
}

/** After the closing quote of the string that begins here. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1
  return at + 1
}
