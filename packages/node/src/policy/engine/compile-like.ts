/** Cedar's `like`: a text against a pattern in which `*` stands for any characters. */

/** The matcher of a pattern in Cedar's JSON form. It reads the text from left to right once for each literal piece, so
 *  no pattern makes it slow. */
export function compileLike(
  pattern: readonly ('Wildcard' | { readonly Literal: string })[],
): (text: string) => boolean {
  const pieces = ['']
  for (const element of pattern) {
    if (element === 'Wildcard') pieces.push('')
    else pieces[pieces.length - 1] += element.Literal
  }
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  const between = rest.filter((piece) => piece !== '')
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const piece of between) {
      const found = text.indexOf(piece, at)
      if (found === -1) return false
      at = found + piece.length
    }
    return at <= text.length - last.length
  }
}
