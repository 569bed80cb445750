/** Puts values into a sentence of the pages' texts. */
import { bdi, Html, html, type HtmlPart } from './html.ts'

/** The sentence with each `{name}` replaced; texts stand isolated, so that they cannot turn the sentence around. */
export function say(sentence: string, values: Readonly<Record<string, string | number | Html>>): Html {
  const parts = sentence.split(/(\{[a-z]+\})/).map((part): HtmlPart => {
    const name = /^\{([a-z]+)\}$/.exec(part)?.[1]
    if (name === undefined) return part
    const value = values[name] ?? ''
    return value instanceof Html ? value : bdi(String(value))
  })
  return html`${parts}`
}
