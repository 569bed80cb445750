/** The members of a JSON object with the text of their values, digit by digit as they came. */
import { parseJson } from './json.ts'
import { Problem } from '../problems.ts'

/** Member values by name, in the order of the text. Throws `malformed-request` for a text that is no object, or in which
 *  an object, at whatever depth, names a member twice. */
export function rawMembers(text: string): ReadonlyMap<string, string> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('malformed-request', 'the JSON is not an object')
  }
  return membersOf(text)
}

/** The same for a text that is known to be a well-formed object. */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>()
  const end = text.lastIndexOf('}')
  let at = text.indexOf('{') + 1
  for (let name = text.indexOf('"', at); name >= 0 && name < end; name = text.indexOf('"', at)) {
    const nameEnd = stringEnd(text, name)
    const start = text.indexOf(':', nameEnd) + 1
    const stop = valueEnd(text, start, end)
    members.set(JSON.parse(text.slice(name, nameEnd)) as string, text.slice(start, stop).trim())
    at = stop + 1
  }
  return members
}

/** Where the value that begins at `start` is over: at the comma or brace of the object that it stands in. */
function valueEnd(text: string, start: number, end: number): number {
  const tokens = /["{}[\],]/g
  tokens.lastIndex = start
  let depth = 0
  for (let token = tokens.exec(text); token !== null && token.index < end; token = tokens.exec(text)) {
    if (token[0] === '"') tokens.lastIndex = stringEnd(text, token.index)
    else if (token[0] === '{' || token[0] === '[') depth += 1
    else if (token[0] === '}' || token[0] === ']') depth -= 1
    else if (depth === 0) return token.index
  }
  return end
}

/** The index after the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
