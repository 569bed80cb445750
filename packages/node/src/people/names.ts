/** Names that a person understands for what documents name by ids. The id stands beside its name in small print, so that
 *  a name hides nothing. */
import type { LocalisedText } from '@comity/core/consent/consent-record'
import { bdi, html, type Html } from './html.ts'
import { directionOf, matchLanguage, type Language } from './language.ts'
import type { PersonName, PersonNames } from './ports.ts'
import { purposeWords } from './texts/purposes.ts'

/** For whom something is put into words. */
export interface Reader {
  readonly language: Language
  /** The person's languages, best first. */
  readonly preferences: readonly string[]
  readonly names: PersonNames
}

/** A text and its language, where that is known. */
export interface Words {
  readonly lang?: string
  readonly text: string
}

/** A text in the best of its languages: the person's, else English, which the pages fall back to as well, else the
 *  first. */
export function localised(text: LocalisedText, preferences: readonly string[]): { lang: string; text: string } {
  const tags = Object.keys(text)
  const lang = matchLanguage([...preferences, 'en'], tags) ?? tags[0] ?? 'und'
  return { lang, text: text[lang] ?? '' }
}

/** Words as markup, in their own language and direction. */
export function wordsHtml({ lang, text }: Words): Html {
  return lang === undefined ? bdi(text) : html`<span lang="${lang}" dir="${directionOf(lang)}">${bdi(text)}</span>`
}

/** Last part of an IRI or a dotted id, as words: `https://example.org/terms#StudyOfSleep` is `Study Of Sleep`. */
export function termWords(term: string): string {
  const last = /^[a-z][a-z0-9+.-]*:/i.test(term) ? (term.split(/[#/:]/).findLast((part) => part !== '') ?? term) : term
  return last.replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2').replace(/[_-]+/g, ' ')
}

/** A term of a vocabulary, readable, with the term itself at hand. */
export function termHtml(term: string): Html {
  return besideId({ text: termWords(term) }, term)
}

/** A purpose in the page's language; one that is of no known vocabulary with its IRI at hand. */
export function purposeHtml(iri: string, { language }: Reader): Html {
  const known = purposeWords(iri, language.tag)
  return known === undefined ? termHtml(iri) : bdi(known)
}

/** What a field of the products is called, without its path; the path for a field without a name. */
export function fieldWords(path: string, { names, preferences }: Reader, products?: readonly string[]): Words {
  return wordsOf(names.field(path, products), preferences) ?? { text: path }
}

/** The same with its path at hand. */
export function fieldHtml(path: string, reader: Reader, products?: readonly string[]): Html {
  return besideId(fieldWords(path, reader, products), path)
}

/** What a domain of data is called, without its id. */
export function domainWords(domain: string, { names, preferences }: Reader, products?: readonly string[]): Words {
  return wordsOf(names.domain(domain, products), preferences) ?? { text: termWords(domain) }
}

export function domainHtml(domain: string, reader: Reader, products?: readonly string[]): Html {
  return besideId(domainWords(domain, reader, products), domain)
}

export function productHtml(id: string, { names }: Reader): Html {
  return besideId({ text: names.product(id) ?? id }, id)
}

/** The name of a participant and its DID; `known` is how a record calls it. */
export function participantHtml(did: string, { names }: Reader, known?: string): Html {
  return besideId({ text: names.participant(did) ?? known ?? did }, did)
}

/** What stands beside a name that its bearer may have chosen: nobody can choose the DID of another. */
export function idHtml(id: string): Html {
  return html`<code class="iri" dir="ltr">${bdi(id)}</code>`
}

/** Several of a kind: one stands alone, more are a list. */
export function listHtml(items: readonly Html[]): Html {
  if (items.length === 1) return html`${items}`
  return html`<ul>
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`
}

function wordsOf(name: PersonName | undefined, preferences: readonly string[]): Words | undefined {
  return typeof name === 'object' ? localised(name, preferences) : name === undefined ? undefined : { text: name }
}

function besideId(words: Words, id: string): Html {
  return words.text === id ? bdi(id) : html`${wordsHtml(words)} ${idHtml(id)}`
}
