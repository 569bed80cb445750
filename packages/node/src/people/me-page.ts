/** What a person has allowed, who read what, and the buttons to pause and end it. */
import type { ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import { formNames } from './choice-form.ts'
import { bdi, html, type Html, type HtmlPart } from './html.ts'
import { grantTitle, termWords, titleHtml } from './grant-words.ts'
import type { Language } from './language.ts'
import type { Page } from './page.ts'
import type { PersonConsent, PersonUse } from './ports.ts'
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

interface MeView {
  readonly language: Language
  readonly preferences: readonly string[]
  readonly form: string
}

export interface OverviewView extends MeView {
  readonly consents: readonly ToldConsent[]
  /** The person can ask about their data here. */
  readonly hasRights: boolean
  /** Path of the page with older ones. */
  readonly more: string | undefined
}

export function mePage(view: OverviewView): Page {
  const { language, consents, form, hasRights, more } = view
  const { texts } = language
  const items = consents.map((told) => consentItem(told, view))
  const rights = hasRights && html`<p><a class="button" href="/me/rights">${rightsTexts(language.tag).title}</a></p>`
  const body = html`${items.length === 0 && html`<p>${texts.meNone}</p>`} ${items}
    ${more !== undefined && html`<p><a href="${more}">${texts.usesMore}</a></p>`} ${rights}
    ${logout(texts.logoutButton, form)}
    <p class="note">${texts.closes}</p>`
  return { language, title: texts.meTitle, body, path: '/me' }
}

/** The last part of a consent's id: paths hold no colons. */
export function consentPath(id: string): string {
  return `/me/consents/${id.replace('urn:uuid:', '')}`
}

function consentItem(told: ToldConsent, { language, preferences, form }: MeView): Html {
  const { consent, record, recipient } = told
  const { texts } = language
  const titles = (record?.grants ?? []).map((grant) => html`<li>${titleHtml(grantTitle(grant, preferences))}</li>`)
  return html`<div class="grant">
    <h2>${bdi(recipient)}</h2>
    ${
      titles.length > 0 &&
      html`<ul>
        ${titles}
      </ul>`
    }
    ${standing(consent, language)}
    <p>
      <a href="${consentPath(consent.id)}">${texts.details}<span class="hidden">: ${bdi(recipient)}</span></a>
    </p>
    ${buttons(consent, { language, form, recipient })}
  </div>`
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
  readonly uses: readonly PersonUse[]
  /** Path of the page with earlier uses. */
  readonly more: string | undefined
}

export function consentPage(view: ConsentView): Page {
  const { language, preferences, form, told } = view
  const { texts } = language
  const { consent, record, recipient } = told
  const body = html`<p class="lead">${bdi(recipient)}</p>
    ${standing(consent, language)} ${buttons(consent, { language, form, recipient })}
    ${record !== undefined && recordWords(record, { language, preferences })} ${usesSection(view)}
    <p><a class="button" href="/me">${texts.meTitle}</a></p>`
  return { language, title: texts.details, body, path: consentPath(consent.id) }
}

function usesSection({ uses, language, more }: ConsentView): Html {
  const { texts } = language
  if (uses.length === 0) {
    return html`<h2>${texts.usesHeading}</h2>
      <p>${texts.usesNone}</p>`
  }
  const heads = [texts.useWhen, texts.useWho, texts.useWhat, texts.useWhy, texts.useProof]
  return html`<h2 id="uses-heading">${texts.usesHeading}</h2>
    <div class="scroll" role="region" aria-labelledby="uses-heading" tabindex="0">
      <table>
        <thead>
          <tr>
            ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${uses.map((use) => useRow(use, language))}
        </tbody>
      </table>
    </div>
    ${more !== undefined && html`<p><a href="${more}">${texts.usesMore}</a></p>`}`
}

function useRow(use: PersonUse, { texts, moment }: Language): Html {
  const { exchange, atMs, caller, product, purpose, released, withheld } = use
  const when = moment(atMs)
  const withheldNote = withheld.length > 0 && html`<br />${say(texts.useWithheld, { list: withheld.join(', ') })}`
  return html`<tr>
    <td>${when}</td>
    <td>${bdi(caller)}</td>
    <td>${bdi(product)}: ${bdi(released.join(', '))}${withheldNote}</td>
    <td>${purpose !== undefined && bdi(termWords(purpose))}</td>
    <td>
      <a href="/v1/me/access-log/${encodeURIComponent(exchange)}/proof">${say(texts.proofFile, { date: when })}</a>
    </td>
  </tr>`
}
