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
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g
  const open: Set<string>[] = []
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '{') open.push(new Set())
    else if (token[0] === '}') open.pop()
    else if (token[1] !== undefined) {
      const name = JSON.parse(token[0].slice(0, -token[1].length)) as string
      const names = open.at(-1)
      if (names?.has(name)) return name
      names?.add(name)
    }
  }
  return undefined
}
