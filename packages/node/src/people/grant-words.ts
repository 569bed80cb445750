/** What a grant means, in words: the same lines where a person decides, checks the decision and looks it up later. */
import type { ConsentGrant, LocalisedText } from '@comity/core/consent/consent-record'
import { coversDomain } from '@comity/core/consent/data-domain'
import { coveredByAny } from '@comity/core/consent/field-path'
import { bdi, html, type Html, type HtmlPart } from './html.ts'
import { directionOf, matchLanguage, type Language } from './language.ts'
import type { FieldsOfProduct } from './ports.ts'
import { say } from './say.ts'

/** A text in the best of its languages: the person's, else the first. */
export function localised(text: LocalisedText, preferences: readonly string[]): { lang: string; text: string } {
  const tags = Object.keys(text)
  const lang = matchLanguage(preferences, tags) ?? tags[0] ?? 'und'
  return { lang, text: text[lang] ?? '' }
}

/** Name of a grant beside its box. */
export function grantTitle(grant: ConsentGrant, preferences: readonly string[]): { lang?: string; text: string } {
  if (grant.title !== undefined && Object.keys(grant.title).length > 0) return localised(grant.title, preferences)
  return { text: grant.domains.map(termWords).join(', ') }
}

/** The title as markup, in its own language and direction. */
export function titleHtml({ lang, text }: { lang?: string; text: string }): Html {
  return lang === undefined ? bdi(text) : html`<span lang="${lang}" dir="${directionOf(lang)}">${bdi(text)}</span>`
}

/** The fields that a person can choose of a grant: what the products label, as far as the grant asks for it. */
export function fieldsToChoose(grant: ConsentGrant, fieldsOf: FieldsOfProduct): readonly string[] {
  const { include, exclude = [] } = grant.fields ?? {}
  const labelled = grant.products
    .flatMap((product) => fieldsOf(product))
    .filter(({ path, domain }) => {
      const isAsked = include === undefined || coveredByAny(include, path)
      return isAsked && !coveredByAny(exclude, path) && grant.domains.some((one) => coversDomain(one, domain))
    })
    .map(({ path }) => path)
  const fields = labelled.length > 0 ? labelled : (include ?? []).filter((path) => !coveredByAny(exclude, path))
  return [...new Set(fields)]
}

/** Last part of an IRI or a dotted id, as words: `https://w3id.org/dpv#ScientificResearch` is `Scientific Research`. */
export function termWords(term: string): string {
  const last = /^[a-z][a-z0-9+.-]*:/i.test(term) ? (term.split(/[#/:]/).findLast((part) => part !== '') ?? term) : term
  return last.replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2').replace(/[_-]+/g, ' ')
}

/** The lines that describe a grant, as a definition list. Nothing that limits or burdens the person is left out. */
export function grantLines(grant: ConsentGrant, language: Language): Html {
  const lines = [...dataLines(grant, language), ...limitLines(grant, language), ...burdenLines(grant, language)]
  return html`<dl>
    ${lines.map(
      ([term, parts]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${parts}</dd>
        </div>`,
    )}
  </dl>`
}

type Line = readonly [term: string, value: HtmlPart]

/** A term of a vocabulary, readable, with the term itself at hand. */
function termHtml(term: string): Html {
  const words = termWords(term)
  return words === term ? bdi(term) : html`${bdi(words)} <code class="iri">${bdi(term)}</code>`
}

function termList(terms: readonly string[]): Html {
  return html`<ul>
    ${terms.map((term) => html`<li>${termHtml(term)}</li>`)}
  </ul>`
}

function dataLines(grant: ConsentGrant, { texts, list }: Language): Line[] {
  const operations = grant.operations ?? []
  return [
    [texts.purposes, termList(grant.purposes)],
    [texts.domains, termList(grant.domains)],
    [texts.products, bdi(list(grant.products))],
    [
      texts.actions,
      html`${list(grant.actions.map((action) => texts.action[action]))}${operations.length > 0 && termList(operations)}`,
    ],
  ]
}

function limitLines(grant: ConsentGrant, language: Language): Line[] {
  const { texts } = language
  const { transforms = [], filters = [] } = grant
  const often = frequency(grant, language)
  const changed = transforms.map(({ path, op }) => html`<li>${bdi(path)}: ${texts.transform[op]}</li>`)
  const rows = filters.map(
    ({ path, op, value }) =>
      html`<li>
        <bdi dir="ltr"><code>${path} ${op} ${Array.isArray(value) ? value.join(', ') : String(value)}</code></bdi>
      </li>`,
  )
  return [
    ...(often.length > 0 ? [[texts.often, often] as const] : []),
    ...(grant.dataPeriod === undefined ? [] : [[texts.period, period(grant.dataPeriod, language)] as const]),
    ...(changed.length > 0
      ? [
          [
            texts.changed,
            html`<ul>
              ${changed}
            </ul>`,
          ] as const,
        ]
      : []),
    ...(rows.length > 0
      ? [
          [
            texts.rowsOnly,
            html`<ul>
              ${rows}
            </ul>`,
          ] as const,
        ]
      : []),
  ]
}

function frequency({ fetch, maxUses }: ConsentGrant, { texts, duration }: Language): HtmlPart[] {
  const parts: Html[] = []
  if (fetch?.type === 'once') parts.push(html`${texts.once}`)
  if (fetch?.max !== undefined && fetch.per !== undefined) {
    parts.push(say(texts.periodic, { max: fetch.max, per: duration(fetch.per) }))
  }
  if (maxUses !== undefined) parts.push(say(texts.uses, { max: maxUses }))
  return parts.map((part, index) => (index === 0 ? part : html`; ${part}`))
}

function period(dataPeriod: NonNullable<ConsentGrant['dataPeriod']>, { texts, duration, moment }: Language): HtmlPart {
  if ('lookback' in dataPeriod) return say(texts.lookback, { time: duration(dataPeriod.lookback) })
  const { from, to } = dataPeriod
  const date = (text: string) => moment(Date.parse(text))
  return [
    from !== undefined && say(texts.from, { date: date(from) }),
    from !== undefined && to !== undefined && ' ',
    to !== undefined && say(texts.to, { date: date(to) }),
  ]
}

function burdenLines(grant: ConsentGrant, language: Language): Line[] {
  const { texts, list, country } = language
  const { onward, geo, automatedDecision, sensitivity, obligations, legalBasis, necessity, storage, processing } = grant
  const places = [...new Set([...(geo?.allow ?? []), ...(storage ?? []), ...(processing ?? [])])]
  const optional = (term: string, value: HtmlPart): Line[] => (value === undefined ? [] : [[term, value]])
  return [
    ...optional(texts.kept, retention(grant, language)),
    [texts.onward, onwardText(onward, language)],
    ...optional(texts.places, places.length > 0 ? bdi(list(places.map(country))) : undefined),
    ...optional(texts.placesDenied, geo?.deny === undefined ? undefined : bdi(list(geo.deny.map(country)))),
    ...optional(
      texts.automated,
      automatedDecision && html`${bdi(automatedDecision.logic)}; ${bdi(automatedDecision.consequence)}`,
    ),
    ...optional(
      texts.sensitivity,
      sensitivity && bdi(list([sensitivity.level, ...(sensitivity.special ?? [])].map(termWords))),
    ),
    ...optional(texts.obligations, obligations && termList(obligations)),
    ...optional(texts.legalBasis, legalBasis === undefined ? undefined : termHtml(legalBasis)),
    ...optional(texts.necessity, necessity && texts[necessity]),
  ]
}

/** Of `deleteWithin`, when a grant tells none. */
const standardDeletion = 'P30D'

function retention({ retention: kept }: ConsentGrant, { texts, duration, moment }: Language): HtmlPart {
  if (kept === undefined) return undefined
  const isToEnd = kept.onWithdrawal !== 'retainLegal'
  const within = isToEnd && html` (${duration(kept.deleteWithin ?? standardDeletion)})`
  const lines = [
    kept.for !== undefined && html`<li>${say(texts.keptFor, { time: duration(kept.for) })}</li>`,
    kept.until !== undefined && html`<li>${say(texts.keptUntil, { date: moment(Date.parse(kept.until)) })}</li>`,
    html`<li>${texts.afterEnd[kept.onWithdrawal]}${within}</li>`,
  ]
  return html`<ul>
    ${lines}
  </ul>`
}

function onwardText(onward: ConsentGrant['onward'], { texts }: Language): HtmlPart {
  if (onward === undefined || onward.allow === 'none') return texts.onwardNone
  if (onward.allow === 'any') return texts.onwardAny
  const recipients = (onward.recipients ?? []).map((did, index) => [index > 0 && ', ', bdi(did)])
  return say(texts.onwardListed, { list: html`${recipients}` })
}
