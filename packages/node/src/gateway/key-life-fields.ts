/** The end of an API key, as its client learns of it from every answer. `Deprecation` and `Sunset` are the key's only
 *  where nothing else has them: those of the product's version count before. The link is always the key's alone, and says
 *  all of it once more. */

/** An answer's fields with these, name and value in turn. */
export function withKeyLife(headers: readonly string[], life: readonly string[]): readonly string[] {
  if (life.length === 0) return headers
  const all = [...headers]
  const isAnnounced = all.some((name, index) => index % 2 === 0 && /^(?:deprecation|sunset)$/i.test(name))
  for (let index = 0; index < life.length; index += 2) {
    const [name = '', value = ''] = life.slice(index, index + 2)
    if (name === 'link') addLink(all, value)
    else if (!isAnnounced) all.push(name, value)
  }
  return all
}

function addLink(headers: string[], link: string): void {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'link')
  if (at < 0) headers.push('link', link)
  else headers[at + 1] = `${headers[at + 1] ?? ''}, ${link}`
}
