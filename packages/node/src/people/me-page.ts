/** What a person has allowed, who read what, and the buttons to pause and end it. */
import type { ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import { formNames } from './choice-form.ts'
import { aboutLine } from './choice-page.ts'
import { bdi, html, type Html, type HtmlPart } from './html.ts'
import { denialHtml, fieldsHtml, permitHtml } from './grant-words.ts'
import type { Language } from './language.ts'
import { participantHtml, productHtml, purposeHtml, type Reader } from './names.ts'
import type { Page } from './page.ts'
import type { PersonConsent, PersonRequest, PersonUse } from './ports.ts'
import { recordWords } from './review-page.ts'
import { say } from './say.ts'
import { rightsTexts } from './texts/rights-texts.ts'

/** A consent with what is needed to tell about it. */
export interface ToldConsent {
  readonly consent: PersonConsent
  /** The revision in force; undefined while nothing was granted. */
  readonly record: ConsentRecord | undefined
  /** Name of the recipient. */
  readonly recipient: string
}

interface MeView extends Reader {
  readonly form: string
}

export interface OverviewView extends MeView {
  readonly consents: readonly ToldConsent[]
  /** The person can ask about their data here. */
  readonly hasRights: boolean
  /** When the person was erased, if they were. */
  readonly erasedMs: number | undefined
  /** Path of the page with older ones. */
  readonly more: string | undefined
}

export function mePage(view: OverviewView): Page {
  const { language, consents, form, hasRights, erasedMs, more } = view
  const { texts } = language
  const items = consents.map((told) => consentItem(told, view))
  const rights = hasRights && html`<p><a class="button" href="/me/rights">${rightsTexts(language.tag).title}</a></p>`
  const body = html`${erasedNote(erasedMs, language)} ${items.length === 0 && html`<p>${texts.meNone}</p>`} ${items}
    ${more !== undefined && html`<p><a href="${more}">${texts.usesMore}</a></p>`} ${rights}
    ${logout(texts.logoutButton, form)}
    <p class="note">${texts.closes}</p>`
  return { language, title: texts.meTitle, body, path: '/me' }
}

/** The last part of a consent's id: paths hold no colons. */
export function consentPath(id: string): string {
  return `/me/consents/${id.replace('urn:uuid:', '')}`
}

function consentItem(told: ToldConsent, view: MeView): Html {
  const { consent, record, recipient } = told
  const { language, form } = view
  const { texts } = language
  return html`<div class="grant">
    <h2>${bdi(recipient)}</h2>
    ${record !== undefined && grantsOf(record, view)} ${standing(consent, language)}
    <p>
      <a href="${consentPath(consent.id)}">${texts.details}<span class="hidden">: ${bdi(recipient)}</span></a>
    </p>
    ${buttons(consent, { language, form, recipient })}
  </div>`
}

/** What is allowed, and what is excluded from it. */
function grantsOf({ grants }: ConsentRecord, view: MeView): Html {
  const { texts } = view.language
  const given = grants.filter(({ effect }) => effect === 'permit')
  const denied = grants.filter(({ effect }) => effect === 'deny')
  return html`<ul>
      ${given.map((grant) => html`<li>${permitHtml(grant, view)}</li> `)}
    </ul>
    ${
      denied.length > 0 &&
      html`<p>${texts.deniedHeading}:</p>
        <ul class="denied">
          ${denied.map((grant) => html`<li>${denialHtml(grant, view)}</li> `)}
        </ul>`
    }`
}

function standing({ state, expiresMs }: PersonConsent, { texts, moment }: Language): Html {
  const isRunning = state === 'active' || state === 'paused'
  return html`<dl>
    <div>
      <dt>${texts.statusLabel}</dt>
      <dd data-state="${state}">${texts.state[state]}</dd>
    </div>
    ${
      isRunning &&
      expiresMs !== undefined &&
      html`<div>
        <dt>${texts.untilLabel}</dt>
        <dd>${moment(expiresMs)}</dd>
      </div>`
    }
  </dl>`
}

/** What a person can do with a consent in a state. */
export const stepsIn: Readonly<Partial<Record<ConsentState, readonly ('pause' | 'resume' | 'withdraw')[]>>> = {
  active: ['pause', 'withdraw'],
  paused: ['resume', 'withdraw'],
}

function buttons(
  { id, state }: PersonConsent,
  { language, form, recipient }: { language: Language; form: string; recipient: string },
): HtmlPart {
  const { texts } = language
  const steps = stepsIn[state] ?? []
  const one = (step: (typeof steps)[number]): Html =>
    html`<form method="post" action="${consentPath(id)}/${step}">
      <input type="hidden" name="${formNames.token}" value="${form}" />
      <button type="submit">${texts[`${step}Button`]}<span class="hidden">: ${bdi(recipient)}</span></button>
    </form>`
  if (steps.length === 0) return undefined
  return html`<div class="actions">${steps.map(one)}</div>
    <p class="note">${texts.withdrawHint}</p>`
}

function logout(text: string, form: string): Html {
  return html`<form method="post" action="/me/logout">
    <input type="hidden" name="${formNames.token}" value="${form}" />
    <p><button type="submit">${text}</button></p>
  </form>`
}

export interface ConsentView extends MeView {
  readonly told: ToldConsent
  readonly title: PersonRequest['title']
  readonly uses: readonly PersonUse[]
  /** Until when what was told of uses was erased. */
  readonly erasedMs: number | undefined
  /** Path of the page with earlier uses. */
  readonly more: string | undefined
}

export function consentPage(view: ConsentView): Page {
  const { language, form, told } = view
  const { texts } = language
  const { consent, record, recipient } = told
  const body = html`<p class="lead">${bdi(recipient)}</p>
    ${aboutLine(view, view)} ${standing(consent, language)} ${buttons(consent, { language, form, recipient })}
    ${record !== undefined && recordWords(record, view)} ${usesSection(view)}
    <p><a class="button" href="/me">${texts.meTitle}</a></p>`
  return { language, title: texts.details, body, path: consentPath(consent.id) }
}

function usesSection(view: ConsentView): Html {
  const { uses, erasedMs, language, more } = view
  const { texts } = language
  const table = uses.length > 0 && usesTable(view)
  const none = uses.length === 0 && erasedMs === undefined && html`<p>${texts.usesNone}</p>`
  return html`<h2 id="uses-heading">${texts.usesHeading}</h2>
    ${table} ${none} ${erasedNote(erasedMs, language)}
    ${more !== undefined && html`<p><a href="${more}">${texts.usesMore}</a></p>`}`
}

/** That there was more to tell, which went with an erasure. */
function erasedNote(erasedMs: number | undefined, { texts, moment }: Language): Html | undefined {
  return erasedMs === undefined ? undefined : html`<p>${say(texts.usesErased, { date: moment(erasedMs) })}</p>`
}

/** Each row stands as a card, on screens of any width; the roles keep it a table for readers of screens. */
function usesTable({ uses, language, ...view }: ConsentView): Html {
  const { texts } = language
  const heads = [texts.useWhen, texts.useWho, texts.useWhat, texts.useWhy, texts.useProof]
  const cells = (use: PersonUse) =>
    useCells(use, { language, ...view }).map(
      (cell, index) => html`<td role="cell" data-label="${heads[index]}"><div>${cell}</div></td>`,
    )
  return html`<table class="uses" role="table" aria-labelledby="uses-heading">
    <thead role="rowgroup">
      <tr role="row">
        ${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${uses.map(
        (use) =>
          html`<tr role="row">
            ${cells(use)}
          </tr> `,
      )}
    </tbody>
  </table>`
}

function useCells(use: PersonUse, { told, ...reader }: Reader & Pick<ConsentView, 'told'>): Html[] {
  const { exchange, atMs, caller, product, purpose, released, withheld } = use
  const { texts, moment } = reader.language
  const when = moment(atMs)
  const known = told.record?.parties.find(({ id }) => id === caller)?.name
  const list = withheld.length > 0 && fieldsHtml(withheld, reader, [product])
  return [
    when,
    participantHtml(caller, reader, known),
    html`<div>${productHtml(product, reader)}</div>
      <div>${fieldsHtml(released, reader, [product])}</div>
      ${list !== false && html`<div>${say(texts.useWithheld, { list })}</div>`}`,
    html`${purpose !== undefined && purposeHtml(purpose, reader)}`,
    html`<a href="/v1/me/access-log/${encodeURIComponent(exchange)}/proof">${say(texts.proofFile, { date: when })}</a>`,
  ]
}
