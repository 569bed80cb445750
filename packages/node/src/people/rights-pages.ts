/** Pages of a person's rights: what they can ask, the form for it, and what came of it. */
import type { RightsType } from '@comity/core/rights/rights-request'
import { formNames } from './choice-form.ts'
import { bdi, html, withoutHidden, type Html } from './html.ts'
import type { Language } from './language.ts'
import { fieldWords, participantHtml, productHtml, type Reader } from './names.ts'
import type { Page } from './page.ts'
import type { PersonRequestView } from './rights-ports.ts'
import { say } from './say.ts'
import { rightsTexts } from './texts/rights-texts.ts'

/** In the order of the law's articles. */
const types = ['access', 'rectify', 'erase', 'restrict', 'port', 'object'] as const
/** Fields that one form can correct. */
export const correctionRows = 3

interface RightsPageView {
  readonly language: Language
  readonly form: string
}

/** What can be asked, and what was. */
export function rightsPage({
  language,
  requests,
}: {
  language: Language
  requests: readonly PersonRequestView[]
}): Page {
  const texts = rightsTexts(language.tag)
  const asks = types.map((type) => {
    const [name, meaning] = texts.right[type]
    return html`<li><a href="/me/rights/ask/${type}">${name}</a><br /><span class="note">${meaning}</span></li>`
  })
  const own = requests.map((request) => requestItem(request, language))
  const body = html`<p class="lead">${texts.intro}</p>
    <h2>${texts.askHeading}</h2>
    <ul>
      ${asks}
    </ul>
    <h2>${texts.ownHeading}</h2>
    ${own.length === 0 ? html`<p>${texts.none}</p>` : own}
    <p><a class="button" href="/me">${language.texts.meTitle}</a></p>`
  return { language, title: texts.title, body, path: '/me/rights' }
}

function requestItem(request: PersonRequestView, language: Language): Html {
  const texts = rightsTexts(language.tag)
  const [name] = texts.right[request.type]
  return html`<div class="grant">
    <h3>${name}</h3>
    ${standing(request, language)}
    <p>
      <a href="/me/rights/${request.id}"
        >${texts.details}<span class="hidden">: ${name}, ${language.moment(request.receivedMs)}</span></a
      >
    </p>
  </div>`
}

function standing(request: PersonRequestView, language: Language): Html {
  const texts = rightsTexts(language.tag)
  const { status, receivedMs, dueMs, isOverdue, extension, closedMs, liftedMs } = request
  const moments: readonly (readonly [string, number | undefined])[] = [
    [texts.received, receivedMs],
    [texts.due, closedMs === undefined ? dueMs : undefined],
    [texts.closed, closedMs],
    [texts.lifted, liftedMs],
  ]
  return html`<dl>
      <div>
        <dt>${texts.statusLabel}</dt>
        <dd data-status="${status}">${texts.status[status]}</dd>
      </div>
      ${moments.map(
        ([label, ms]) =>
          ms !== undefined &&
          html`<div>
            <dt>${label}</dt>
            <dd>${language.moment(ms)}</dd>
          </div>`,
      )}
      ${
        extension !== undefined &&
        html`<div>
          <dt>${texts.longer}</dt>
          <dd>${bdi(extension)}</dd>
        </div>`
      }
    </dl>
    ${isOverdue && html`<p class="error">${texts.overdue}</p>`}`
}

/** For who came by a link to one decision, which need not be the person's own: what to do instead. */
export function otherLinkPage(language: Language, holder: string): Page {
  const { title, otherLink } = rightsTexts(language.tag)
  const body = html`<p class="lead">${say(otherLink, { holder })}</p>
    <p><a class="button" href="/me">${language.texts.meTitle}</a></p>`
  return { language, title, body, path: '/me/rights' }
}

export interface AskView extends RightsPageView, Reader {
  readonly type: RightsType
  /** Field paths that can be corrected. */
  readonly fields: readonly string[]
  readonly isInvalid: boolean
}

/** The form for one right. */
export function askPage({ language, form, type, fields, isInvalid, ...reader }: AskView): Page {
  const texts = rightsTexts(language.tag)
  const [name, meaning] = texts.right[type]
  const body = html`${isInvalid && html`<p class="error" role="alert">${texts.invalid}</p>`}
    <p class="lead">${meaning}</p>
    <form method="post" action="/me/rights/ask/${type}">
      <input type="hidden" name="${formNames.token}" value="${form}" />
      ${type === 'rectify' && correctionInputs(fields, { language, ...reader })}
      <p>
        <label for="message">${texts.messageLabel}</label><br />
        <textarea id="message" name="message" rows="4" cols="40" maxlength="2000"></textarea>
      </p>
      ${
        type === 'erase' &&
        html`<p>
          <input type="checkbox" id="sure" name="sure" value="yes" required />
          <label for="sure">${texts.eraseSure}</label>
        </p>`
      }
      <p><button type="submit">${texts.sendButton}</button></p>
    </form>
    <p><a class="button" href="/me/rights">${texts.title}</a></p>`
  return { language, title: name, body, path: `/me/rights/ask/${type}` }
}

function correctionInputs(fields: readonly string[], reader: Reader): Html[] {
  const texts = rightsTexts(reader.language.tag)
  const options = fields.map((field) => {
    const { text, lang } = fieldWords(field, reader)
    const name = withoutHidden(text === field ? field : `${text} (${field})`)
    return html`<option value="${field}" ${lang !== undefined && html`lang="${lang}"`}>${name}</option>`
  })
  return Array.from(
    { length: correctionRows },
    (_, index) =>
      html`<fieldset>
        <legend>${index + 1}</legend>
        <p>
          <label for="field-${index}">${texts.fieldLabel}</label><br />
          <select id="field-${index}" name="field-${index}">
            <option value="">${texts.fieldNone}</option>
            ${options}
          </select>
        </p>
        <p>
          <label for="value-${index}">${texts.valueLabel}</label><br />
          <input id="value-${index}" name="value-${index}" maxlength="1000" />
        </p>
      </fieldset>`,
  )
}

export interface RequestView extends RightsPageView, Reader {
  readonly request: PersonRequestView
  /** How the person's records call participants, by DID. */
  readonly parties: ReadonlyMap<string, string>
}

/** One request: where it stands, who has answered, and the answer. */
export function requestPage({ form, request, parties, ...reader }: RequestView): Page {
  const { language } = reader
  const texts = rightsTexts(language.tag)
  const { id, type, closedMs, tasks, duties } = request
  const [name] = texts.right[type]
  const stores = tasks.map(({ product, state, ground }) => ({
    who: productHtml(product, reader),
    state,
    ground,
  }))
  const recipients = duties.map(({ debtor, state }) => ({
    who: participantHtml(debtor, reader, parties.get(debtor)),
    state,
    ground: undefined,
  }))
  const end =
    closedMs === undefined
      ? html`<form method="post" action="/me/rights/${id}/revoke">
          <input type="hidden" name="${formNames.token}" value="${form}" />
          <p><button type="submit">${texts.takeBack}</button></p>
        </form>`
      : html`<p><a class="button" href="/rights/requests/${id}/bundle">${texts.download}</a></p>
          <p class="note">${texts.downloadHint}</p>`
  const body = html`<p class="lead">${name}</p>
    ${standing(request, language)} ${answers(texts.storesHeading, stores, language)}
    ${answers(texts.recipientsHeading, recipients, language)} ${end}
    <p><a class="button" href="/me/rights">${texts.title}</a></p>`
  return { language, title: texts.details, body, path: `/me/rights/${id}` }
}

interface Answer {
  readonly who: Html
  readonly state: 'open' | 'done' | 'refused'
  readonly ground: string | undefined
}

function answers(heading: string, list: readonly Answer[], { tag }: Language): Html | undefined {
  if (list.length === 0) return undefined
  const { report } = rightsTexts(tag)
  const items = list.map(
    ({ who, state, ground }) =>
      html`<li data-state="${state}">${who}: ${report[state]}${ground !== undefined && html` (${bdi(ground)})`}</li>`,
  )
  return html`<h2>${heading}</h2>
    <ul>
      ${items}
    </ul>`
}
