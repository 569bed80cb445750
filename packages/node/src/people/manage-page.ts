/** What a link to all consents shows before it counts: a button, which no program that looks at mail presses. */
import { formNames } from './choice-form.ts'
import { html } from './html.ts'
import type { Language } from './language.ts'
import type { Page } from './page.ts'

export interface EntryForm {
  /** Address of the link. */
  readonly action: string
  /** Token that belongs to the browser's cookie. */
  readonly form: string
}

export function managePage(language: Language, { action, form }: EntryForm): Page {
  const { texts } = language
  const body = html`<p class="lead">${texts.manageIntro}</p>
    <form method="post" action="${action}">
      <input type="hidden" name="${formNames.token}" value="${form}" />
      <div class="actions"><button type="submit" name="act" value="enter">${texts.continueButton}</button></div>
    </form>`
  return { language, title: texts.manageTitle, body }
}
