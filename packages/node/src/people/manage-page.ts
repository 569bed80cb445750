/** What a link to all consents shows before it counts: a button, which no program that looks at mail presses. */
import { html } from './html.ts'
import type { Language } from './language.ts'
import type { Page } from './page.ts'

export function managePage(language: Language, action: string): Page {
  const { texts } = language
  const body = html`<p class="lead">${texts.manageIntro}</p>
    <form method="post" action="${action}">
      <div class="actions"><button type="submit" name="act" value="enter">${texts.continueButton}</button></div>
    </form>`
  return { language, title: texts.manageTitle, body }
}
