/** Where a consent stands, after a decision or when an old page is sent again. */
import { html } from './html.ts'
import type { Language } from './language.ts'
import type { Page } from './page.ts'
import type { PersonConsent } from './ports.ts'
import { say } from './say.ts'

export interface StateView {
  readonly language: Language
  readonly consent: PersonConsent
  /** Until when the link works, while it does. */
  readonly linkExpiresMs: number | undefined
}

const undecided = new Set(['requested', 'deferred'])

export function statePage({ language, consent, linkExpiresMs }: StateView): Page {
  const { texts, moment } = language
  const { state, expiresMs } = consent
  const isOpen = undecided.has(state)
  const body = html`<p class="lead" id="state" data-state="${state}">${texts.state[state]}</p>
    ${state === 'active' && expiresMs !== undefined && html`<p>${texts.untilLabel}: ${moment(expiresMs)}</p>`}
    ${isOpen && linkExpiresMs !== undefined && html`<p>${say(texts.laterNote, { date: moment(linkExpiresMs) })}</p>`}
    <p>
      ${isOpen ? html`<a class="button" href="/c">${texts.meOpen}</a>` : html`<a class="button" href="/me">${texts.toOverview}</a>`}
    </p>`
  return { language, title: texts.stateTitle, body, path: '/c/done' }
}
