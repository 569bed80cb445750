/** Languages of the people's pages: which one a person reads (RFC 9110 §12.5.4, RFC 4647 §3.4), and how dates, lengths
 *  of time and countries are written in it. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseDuration } from '@comity/core/consent/durations'
import { html, type Html } from './html.ts'
import { textsAr } from './texts/texts-ar.ts'
import { textsDe } from './texts/texts-de.ts'
import { textsEn } from './texts/texts-en.ts'
import { textsEs } from './texts/texts-es.ts'
import { textsFr } from './texts/texts-fr.ts'
import type { Texts } from './texts/texts.ts'

export const pageLanguages: Readonly<Record<string, Texts>> = {
  en: textsEn,
  de: textsDe,
  fr: textsFr,
  es: textsEs,
  ar: textsAr,
}

/** A language of the pages with everything to write in it. */
export interface Language {
  /** BCP 47. */
  readonly tag: string
  readonly direction: 'ltr' | 'rtl'
  readonly texts: Texts
  /** Day and time with the name of the zone, as `<time>`. */
  moment(ms: number): Html
  /** Of an ISO 8601 duration; the text itself when it is none. */
  duration(text: string): string
  /** Of an ISO 3166-1 alpha-2 code; the code itself when it is none. */
  country(code: string): string
  list(items: readonly string[]): string
  /** Of a BCP 47 tag. */
  languageName(tag: string): string
}

const maxPreferences = 10
const tagPattern = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/

/** The person's languages, best first: the one that was chosen, then those of `Accept-Language`. */
export function preferredLanguages(chosen: string | undefined, acceptLanguage: string | undefined): string[] {
  const ranked = (acceptLanguage ?? '')
    .slice(0, 1_000)
    .split(',')
    .map((part, index) => ({ ...weighed(part), index }))
    .filter(({ tag, weight }) => tagPattern.test(tag) && weight > 0)
    .toSorted((a, b) => b.weight - a.weight || a.index - b.index)
    .map(({ tag }) => tag)
  const first = chosen !== undefined && tagPattern.test(chosen) ? [chosen] : []
  return [...new Set([...first, ...ranked])].slice(0, maxPreferences)
}

function weighed(part: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = part.split(';').map((text) => text.trim())
  const quality = parameters.find((text) => text.startsWith('q='))?.slice(2)
  return { tag, weight: quality === undefined ? 1 : Number(quality) }
}

/** The first preference that is there, exactly or by a shorter form of it (`de-AT` is served by `de`, and `pt` by
 *  `pt-BR`); undefined when none is. */
export function matchLanguage(preferences: readonly string[], available: readonly string[]): string | undefined {
  for (const preference of preferences) {
    const wanted = preference.toLowerCase()
    const [primary] = wanted.split('-')
    const found =
      available.find((tag) => tag.toLowerCase() === wanted) ??
      available.find((tag) => tag.toLowerCase() === primary) ??
      available.find((tag) => tag.toLowerCase().split('-')[0] === primary)
    if (found !== undefined) return found
  }
  return undefined
}

/** The language of the pages for a person; English when none of theirs is there. The zone is one of IANA. */
export function pageLanguage(preferences: readonly string[], timeZone = 'UTC'): Language {
  const tag = matchLanguage(preferences, Object.keys(pageLanguages)) ?? 'en'
  const key = `${tag} ${timeZone}`
  const language = known.get(key) ?? languageOf(tag, timeZone)
  known.set(key, language)
  return language
}

const known = new Map<string, Language>()

function languageOf(tag: string, timeZone: string): Language {
  const texts = pageLanguages[tag] ?? textsEn
  const regions = new Intl.DisplayNames(tag, { type: 'region' })
  const names = new Intl.DisplayNames(tag, { type: 'language' })
  const lists = new Intl.ListFormat(tag, { type: 'conjunction' })
  return {
    tag,
    direction: directionOf(tag),
    texts,
    moment: momentsIn(tag, timeZone),
    duration: (text) => durationText(text, tag, lists),
    country: (code) => (/^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : code),
    list: (items) => lists.format(items),
    languageName: (other) => (tagPattern.test(other) ? (safely(() => names.of(other)) ?? other) : other),
  }
}

function momentsIn(tag: string, timeZone: string): Language['moment'] {
  // 24 hours and the month as a word, whose order nobody mistakes.
  const locale = tag === 'en' ? 'en-GB' : tag
  const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone })
  const zones = new Intl.DateTimeFormat(locale, { timeZoneName: 'long', timeZone })
  return (ms) => {
    const zone = zones.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
    const text = `${dates.format(ms)} ${timeZone === 'UTC' ? `UTC (${zone})` : `(${zone})`}`
    return html`<time datetime="${formatDateTime(ms)}">${text}</time>`
  }
}

function durationText(text: string, tag: string, lists: Intl.ListFormat): string {
  const duration = parseDuration(text)
  if (duration === undefined) return text
  const units = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  const parts = units.flatMap((unit) => {
    const count = duration[`${unit}s`]
    const format = new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' })
    return count === 0 ? [] : [format.format(count)]
  })
  return parts.length === 0 ? text : lists.format(parts)
}

/** Scripts that are written from right to left, of the languages that use them by default. */
const rightToLeft = /^(?:ar|arc|ckb|dv|fa|ha-arab|he|iw|khw|ks|ku-arab|nqo|ps|sd|syr|ug|ur|yi)(?:-|$)/i

/** Direction of a language's text; a script that is named decides. */
export function directionOf(tag: string): 'ltr' | 'rtl' {
  if (/-(?:arab|hebr|syrc|thaa|nkoo|adlm|rohg)(?:-|$)/i.test(tag)) return 'rtl'
  if (/-(?:latn|cyrl|deva)(?:-|$)/i.test(tag)) return 'ltr'
  return rightToLeft.test(tag) ? 'rtl' : 'ltr'
}

/** Tags that are well formed may still name nothing. */
function safely<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
