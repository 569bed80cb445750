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

/** A value of somebody else's, kept from changing the direction of the text around it. What would reverse it inside, or
 *  is not seen at all, is taken out, so that no name can look like another. */
export function bdi(value: string): Html {
  return html`<bdi>${withoutHidden(value)}</bdi>`
}

// Marks of direction (Unicode UAX #9 §2), and what is not drawn, but for joiners and variants, which scripts need.
const direction = String.raw`[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]`
const needed = String.raw`\u200c\u200d\u180b-\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}`
const hidden = new RegExp(String.raw`${direction}|[\p{Default_Ignorable_Code_Point}--[${needed}]]`, 'gv')

/** The text without embeddings, overrides, isolates and marks of direction, and without what is invisible. */
export function withoutHidden(text: string): string {
  return text.replace(hidden, '')
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
