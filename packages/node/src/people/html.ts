/** HTML as text with every value escaped: what is not written in a template of ours is never markup. */

/** Markup that may stand as it is. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type HtmlPart = Html | string | number | false | undefined | readonly HtmlPart[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template whose values are escaped, in text and in quoted attributes; lists are joined, `false` and `undefined`
 *  are nothing. */
export function html(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(texts.map((text, index) => text + textOf(parts[index])).join(''))
}

/** A value of somebody else's, kept from changing the direction of the text around it. Marks that would reverse it
 *  inside are taken out, so that no name can look like another. */
export function bdi(value: string): Html {
  return html`<bdi>${withoutBidiMarks(value)}</bdi>`
}

/** Explicit embeddings, overrides, isolates and marks of direction (Unicode UAX #9 §2). */
export function withoutBidiMarks(text: string): string {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
}

function textOf(part: HtmlPart): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(textOf).join('')
  // Of control characters HTML knows tab and line ends only.
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  const clean = String(part).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
  return clean.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
