/** How a word stands in files: in clear, in other encodings, and in a token within a token. */

/** In base64 it has three spellings, by where in the text it begins. */
function inBase64(text: string): string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].map((offset) => {
    const coded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url')
    // What depends on the neighbours is left out.
    return coded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3))
  })
}

/** The word as it stands in text of any encoding. */
export function spellings(word: string): Buffer[] {
  const once = inBase64(word)
  const texts = [
    ...once,
    ...once.map((text) => text.replaceAll('-', '+').replaceAll('_', '/')),
    ...once.flatMap((text) => inBase64(text)),
    Buffer.from(word).toString('hex'),
  ]
  return [Buffer.from(word), Buffer.from(word, 'utf16le'), ...texts.map((text) => Buffer.from(text))]
}

/** The spelling in which the bytes hold the word. */
export function spellingIn(bytes: Buffer, word: string): string | undefined {
  return spellings(word)
    .find((spelled) => bytes.includes(spelled))
    ?.toString('latin1')
}
