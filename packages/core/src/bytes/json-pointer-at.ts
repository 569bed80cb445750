/** Which value of a JSON text a place in it belongs to. */

/** The pointer (RFC 6901) of the object, list or member that the position lies in; the text must be well-formed up to
 *  there. No longer than 512 characters: of a longer one the beginning. */
export function pointerAt(text: string, position: number): string {
  const path: { isList: boolean; step: string | number }[] = []
  let expectsName = false
  for (let at = 0; at < position; at++) {
    const character = text[at]
    const top = path.at(-1)
    if (character === '"') {
      const end = endOfString(text, at)
      if (expectsName && top !== undefined) top.step = JSON.parse(text.slice(at, end + 1)) as string
      expectsName = false
      at = end
    } else if (character === '{' || character === '[') {
      expectsName = character === '{'
      path.push({ isList: !expectsName, step: expectsName ? '' : 0 })
    } else if (character === '}' || character === ']') {
      path.pop()
      expectsName = false
    } else if (character === ',' && top !== undefined) {
      expectsName = !top.isList
      if (top.isList) top.step = Number(top.step) + 1
    }
  }
  // A name that has yet to come belongs to the object itself.
  const steps = expectsName ? path.slice(0, -1) : path
  return steps
    .map(({ step }) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .slice(0, 512)
}

function endOfString(text: string, from: number): number {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
