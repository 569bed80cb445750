/** What a grant means, in words: the same lines where a person decides, checks the decision and looks it up later. */
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { coversDomain } from '@comity/core/consent/data-domain'
import { coveredByAny } from '@comity/core/consent/field-path'
import { bdi, html, type Html, type HtmlPart } from './html.ts'
import type { Language } from './language.ts'
import {
  domainHtml,
  domainWords,
  fieldHtml,
  fieldWords,
  listHtml,
  localised,
  participantHtml,
  productHtml,
  purposeHtml,
  termHtml,
  termWords,
  wordsHtml,
  type Reader,
  type Words,
} from './names.ts'
import type { FieldsOfProduct } from './ports.ts'
import { say } from './say.ts'

/** Name of a grant beside its box. */
export function grantTitle({ title, domains, products }: ConsentGrant, reader: Reader): Words {
  if (title !== undefined && Object.keys(title).length > 0) return localised(title, reader.preferences)
  const [only, ...others] = domains.map((domain) => domainWords(domain, reader, products))
  if (only !== undefined && others.length === 0) return only
  return { text: reader.language.list([only, ...others].map((words) => words?.text ?? '')) }
}

/** What is allowed, in a line: the title is the recipient's, and may name more than the person left of it. */
export function permitHtml(grant: ConsentGrant, reader: Reader): Html {
  const { include = [] } = grant.fields ?? {}
  const only = include.length > 0 && html`: ${fieldsHtml(include, reader, grant.products)}`
  return html`${wordsHtml(grantTitle(grant, reader))}${only}`
}

/** What a denial excludes, in a line. */
export function denialHtml(grant: ConsentGrant, reader: Reader): Html {
  const { include = [], exclude = [] } = grant.fields ?? {}
  const named = (paths: readonly string[]) => fieldsHtml(paths, reader, grant.products)
  const only = include.length > 0 && html`: ${named(include)}`
  const but = exclude.length > 0 && html` (${reader.language.texts.keeps}: ${named(exclude)})`
  return html`${wordsHtml(grantTitle(grant, reader))}${only}${but}`
}

/** Fields by their names, with commas. */
export function fieldsHtml(fields: readonly string[], reader: Reader, products?: readonly string[]): Html {
  return html`${fields.map((path, index) => [index > 0 && ', ', wordsHtml(fieldWords(path, reader, products))])}`
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

/** The lines that describe a grant, as a definition list. Nothing that limits or burdens the person is left out, and
 *  nothing that a denial excludes. */
export function grantLines(grant: ConsentGrant, reader: Reader): Html {
  const lines = [...dataLines(grant, reader), ...fieldLines(grant, reader)]
  if (grant.effect === 'permit') lines.push(...limitLines(grant, reader), ...burdenLines(grant, reader))
  lines.push(...placeLines(grant, reader.language))
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

const lineOf = (term: string, items: readonly Html[]): Line[] => (items.length === 0 ? [] : [[term, listHtml(items)]])

function dataLines({ purposes, domains, products, actions, operations = [] }: ConsentGrant, reader: Reader): Line[] {
  const { texts, list } = reader.language
  const what = list(actions.map((action) => texts.action[action]))
  return [
    [texts.purposes, listHtml(purposes.map((purpose) => purposeHtml(purpose, reader)))],
    [texts.domains, listHtml(domains.map((domain) => domainHtml(domain, reader, products)))],
    [texts.products, listHtml(products.map((product) => productHtml(product, reader)))],
    [texts.actions, html`${what}${operations.length > 0 && html` ${listHtml(operations.map(termHtml))}`}`],
  ]
}

/** Fields that are left out of a permission, or that a denial is about. The fields of a permission are boxes to tick on
 *  one page and a line of their own on the others. */
function fieldLines({ effect, fields, products }: ConsentGrant, reader: Reader): Line[] {
  const { texts } = reader.language
  const { include = [], exclude = [] } = fields ?? {}
  const items = (paths: readonly string[]) => paths.map((path) => fieldHtml(path, reader, products))
  if (effect === 'permit') return lineOf(texts.deniedHeading, items(exclude))
  return [...lineOf(texts.fieldsLegend, items(include)), ...lineOf(texts.keeps, items(exclude))]
}

function limitLines(grant: ConsentGrant, reader: Reader): Line[] {
  const { language } = reader
  const { texts } = language
  const { transforms = [], filters = [], products } = grant
  const often = frequency(grant, language)
  const changed = transforms.map(
    (one) => html`${fieldHtml(one.path, reader, products)}: ${transformHtml(one, language)}`,
  )
  const rows = filters.map((filter) => filterHtml(filter, reader, products))
  return [
    ...(often.length > 0 ? [[texts.often, often] as const] : []),
    ...(grant.dataPeriod === undefined ? [] : [[texts.period, period(grant.dataPeriod, language)] as const]),
    ...lineOf(texts.changed, changed),
    ...lineOf(texts.rowsOnly, rows),
  ]
}

type Transform = NonNullable<ConsentGrant['transforms']>[number]
type Filter = NonNullable<ConsentGrant['filters']>[number]

/** With the numbers that count where the grant says none. */
function transformHtml({ op, arg, fn = 'count' }: Transform, { texts }: Language): Html {
  return say(texts.transform[op], { count: arg ?? 4, step: arg ?? 1, rows: arg ?? 5, what: texts.aggregate[fn] })
}

function filterHtml({ path, op, value }: Filter, reader: Reader, products: readonly string[]): Html {
  const { text, ...lang } = fieldWords(path, reader, products)
  const rule = `${path} ${op} ${Array.isArray(value) ? value.join(', ') : String(value)}`
  return html`${text !== path && html`${wordsHtml({ text, ...lang })}: `}<bdi dir="ltr"><code>${rule}</code></bdi>`
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

function burdenLines(grant: ConsentGrant, reader: Reader): Line[] {
  const { texts, list } = reader.language
  const { onward, automatedDecision, sensitivity, obligations = [], legalBasis, necessity } = grant
  const optional = (term: string, value: HtmlPart): Line[] => (value === undefined ? [] : [[term, value]])
  return [
    ...optional(texts.kept, retention(grant, reader.language)),
    [texts.onward, onwardText(onward, reader)],
    ...optional(
      texts.automated,
      automatedDecision && html`${bdi(automatedDecision.logic)}; ${bdi(automatedDecision.consequence)}`,
    ),
    ...optional(
      texts.sensitivity,
      sensitivity && bdi(list([sensitivity.level, ...(sensitivity.special ?? [])].map(termWords))),
    ),
    ...lineOf(texts.obligations, obligations.map(termHtml)),
    ...optional(texts.legalBasis, legalBasis === undefined ? undefined : termHtml(legalBasis)),
    ...optional(texts.necessity, necessity && texts[necessity]),
  ]
}

function placeLines({ geo, storage, processing }: ConsentGrant, { texts, list, country }: Language): Line[] {
  const places = [...new Set([...(geo?.allow ?? []), ...(storage ?? []), ...(processing ?? [])])]
  const denied = geo?.deny ?? []
  return [
    ...(places.length > 0 ? [[texts.places, bdi(list(places.map(country)))] as const] : []),
    ...(denied.length > 0 ? [[texts.placesDenied, bdi(list(denied.map(country)))] as const] : []),
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

function onwardText(onward: ConsentGrant['onward'], reader: Reader): HtmlPart {
  const { texts } = reader.language
  if (onward === undefined || onward.allow === 'none') return texts.onwardNone
  if (onward.allow === 'any') return texts.onwardAny
  const recipients = (onward.recipients ?? []).map((did, index) => [index > 0 && ', ', participantHtml(did, reader)])
  return say(texts.onwardListed, { list: html`${recipients}` })
}
