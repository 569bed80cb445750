/** First step of a decision: what is asked, and a box for each part of it, none of them ticked. */
import type { ConsentGrantor } from '@comity/core/consent/consent-record'
import { formNames, type Choosable, type FormFault } from './choice-form.ts'
import { fieldsToChoose, grantLines, grantTitle } from './grant-words.ts'
import { bdi, html, type Html } from './html.ts'
import { directionOf, type Language } from './language.ts'
import { idHtml, fieldHtml, localised, wordsHtml, type Reader } from './names.ts'
import type { Page } from './page.ts'
import type { FieldsOfProduct, PersonRequest } from './ports.ts'
import { say } from './say.ts'

export interface ChoiceView extends Reader {
  readonly request: PersonRequest
  /** Name of the organisation that holds the data. */
  readonly holder: string
  readonly choosable: readonly Choosable[]
  readonly times: readonly string[]
  /** Whom the link lets decide besides the subject. */
  readonly capacities: readonly ConsentGrantor['capacity'][]
  /** Token of the session's forms. */
  readonly form: string
  readonly faults?: readonly FormFault[]
  /** What was ticked before, when a form comes back with faults. */
  readonly ticked?: URLSearchParams
}

/** The grants that a person can tick, with their fields. */
export function choosableOf(request: PersonRequest, fieldsOf: FieldsOfProduct): Choosable[] {
  return request.grants
    .filter(({ effect }) => effect === 'permit')
    .map((grant) => ({ grant, fields: fieldsToChoose(grant, fieldsOf) }))
}

export function choicePage(view: ChoiceView): Page {
  const { language, request, holder, form, faults = [] } = view
  const { texts, moment } = language
  const recipient = recipientHtml(request, language)
  const body = html`${errorSummary(view)}
    <p class="lead">${say(texts.asks, { recipient, holder })}</p>
    <p class="note">${idHtml(request.recipient.did)}</p>
    ${aboutLine(request, view)} ${noticeSection(view, recipient)}
    <form method="post" action="/c/decide">
      <input type="hidden" name="${formNames.token}" value="${form}" />
      <section aria-labelledby="grants-heading">
        <h2 id="grants-heading">${texts.grantsHeading}</h2>
        <p>${texts.grantsHint}</p>
        ${view.choosable.map((one, index) => grantBox(view, one, index))} ${deniedSection(view)}
      </section>
      ${timeBox(view)} ${capacityBox(view)}
      <p>${say(texts.lapses, { date: moment(request.lapsesMs) })}</p>
      <div class="actions">
        <button type="submit" name="act" value="grant">${texts.grantButton}</button>
        <button type="submit" name="act" value="refuse">${texts.refuseButton}</button>
        <button type="submit" name="act" value="later">${texts.laterButton}</button>
      </div>
      <p class="note">${texts.closes}</p>
    </form>`
  const title = faults.length > 0 ? `${texts.errorHeading}: ${texts.askTitle}` : texts.askTitle
  return { language, title, body, path: '/c' }
}

/** What the template calls itself. */
export function aboutLine(
  { title }: Pick<PersonRequest, 'title'>,
  { language, preferences }: Reader,
): Html | undefined {
  if (title === undefined) return undefined
  return html`<p>${say(language.texts.about, { title: wordsHtml(localised(title, preferences)) })}</p>`
}

export function recipientHtml({ recipient }: PersonRequest, { country }: Language): Html {
  const place = recipient.country === undefined ? undefined : html` (${country(recipient.country)})`
  return html`<strong>${bdi(recipient.name)}</strong>${place}`
}

function errorSummary(view: ChoiceView): Html | undefined {
  const { faults = [], language, choosable } = view
  if (faults.length === 0) return undefined
  const items = faults.map(({ text, grant, target }) => {
    const one = grant === undefined ? undefined : choosable[grant]
    const title = one === undefined ? '' : grantTitle(one.grant, view).text
    return html`<li><a href="#${target}">${say(language.texts[text], { title })}</a></li>`
  })
  return html`<div class="errors" role="alert" aria-labelledby="errors-heading">
    <h2 id="errors-heading">${language.texts.errorHeading}</h2>
    <ul>
      ${items}
    </ul>
  </div>`
}

function noticeSection({ request, preferences, language }: ChoiceView, recipient: Html): Html {
  const { texts } = language
  const { uri } = request.notice
  const { lang, text } = localised(request.notice.text, preferences)
  return html`<section aria-labelledby="notice-heading">
    <h2 id="notice-heading">${say(texts.noticeHeading, { recipient })}</h2>
    ${noticeText(lang, text)}
    ${
      uri !== undefined &&
      html`<p>
        ${texts.noticeMore}: <bdi dir="ltr"><code>${uri}</code></bdi>
      </p>`
    }
  </section>`
}

/** The notice, letter for letter, in its own language and direction; empty lines part paragraphs. */
export function noticeText(lang: string, text: string): Html {
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => html`<p dir="auto">${paragraph}</p>`)
  return html`<div class="notice" lang="${lang}" dir="${directionOf(lang)}">${paragraphs}</div>`
}

function grantBox(view: ChoiceView, { grant, fields }: Choosable, index: number): Html {
  const { language, ticked, faults = [] } = view
  const { texts } = language
  const name = formNames.grant(index)
  const title = wordsHtml(grantTitle(grant, view))
  const isWrong = faults.some((fault) => fault.grant === index)
  return html`<fieldset class="grant${isWrong && ' wrong'}">
    <legend>${title}</legend>
    <p class="tick">
      <input type="checkbox" id="${name}" name="${name}" value="yes" ${checked(ticked?.get(name) === 'yes')} />
      <label for="${name}">${say(texts.allow, { title })}</label>
    </p>
    ${fields.length > 0 && fieldBoxes(view, { grant, fields }, index)} ${grantLines(grant, view)}
  </fieldset>`
}

function fieldBoxes(view: ChoiceView, { grant, fields }: Choosable, index: number): Html {
  const { language, ticked } = view
  const name = formNames.field(index)
  const before = new Set(ticked?.getAll(name) ?? [])
  const boxes = fields.map((field, place) => {
    const id = `${name}-${place}`
    return html`<p class="tick">
      <input type="checkbox" id="${id}" name="${name}" value="${place}" ${checked(before.has(String(place)))} />
      <label for="${id}">${fieldHtml(field, view, grant.products)}</label>
    </p>`
  })
  return html`<fieldset class="fields">
    <legend>${language.texts.fieldsLegend}</legend>
    ${boxes}
  </fieldset>`
}

/** What is forbidden in the request stays so, whatever is ticked. */
function deniedSection(view: ChoiceView): Html | undefined {
  const denied = view.request.grants.filter(({ effect }) => effect === 'deny')
  if (denied.length === 0) return undefined
  const items = denied.map(
    (grant) =>
      html`<div class="grant">
        <h4>${wordsHtml(grantTitle(grant, view))}</h4>
        ${grantLines(grant, view)}
      </div>`,
  )
  return html`<h3>${view.language.texts.deniedHeading}</h3>
    ${items}`
}

function timeBox({ times, request, language, ticked }: ChoiceView): Html {
  const { texts, duration } = language
  const before = ticked?.get(formNames.time)
  const options = times.map((time) => {
    const length = duration(time)
    const text = time === request.duration ? texts.timeAsked.replace('{time}', () => length) : length
    return html`<option value="${time}" ${before === time && html`selected`}>${text}</option>`
  })
  return html`<p class="time">
    <label for="time">${texts.timeLegend}</label>
    <select id="time" name="${formNames.time}">
      <option value="">${texts.timeChoose}</option>
      ${options}
    </select>
  </p>`
}

function capacityBox({ capacities, language, ticked }: ChoiceView): Html | undefined {
  if (capacities.length === 0) return undefined
  const before = ticked?.get(formNames.capacity)
  const options = capacities.map((capacity) => {
    const id = `capacity-${capacity}`
    const isBefore = checked(before === capacity)
    return html`<p class="tick">
      <input type="radio" id="${id}" name="${formNames.capacity}" value="${capacity}" ${isBefore} />
      <label for="${id}">${language.texts.capacity[capacity]}</label>
    </p>`
  })
  return html`<fieldset>
    <legend>${language.texts.capacityLegend}</legend>
    ${options}
  </fieldset>`
}

function checked(isTicked: boolean): Html | false {
  return isTicked && html`checked`
}
