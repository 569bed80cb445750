/** Problems as a person reads them: what happened, what to do, and a number to tell the organisation. */
import type { Problem } from '@comity/core/problems'
import { html } from './html.ts'
import type { Language } from './language.ts'
import type { Page } from './page.ts'
import type { ProblemText } from './texts/texts.ts'

const textOf: Readonly<Partial<Record<string, ProblemText>>> = {
  'link-invalid': 'link',
  'session-required': 'session',
  'form-refused': 'form',
  'rate-limited': 'tooMany',
  'concurrency-limited': 'tooMany',
  'consent-state': 'state',
  'consent-unknown': 'notFound',
  'subject-erased': 'state',
  'not-found': 'notFound',
  'method-not-allowed': 'notFound',
}

export function problemPage(problem: Problem, requestId: string, language: Language): Page {
  const [title, remedy] = language.texts.problem[textOf[problem.code] ?? 'other']
  const body = html`<p class="lead">${remedy}</p>
    <p class="note">
      <bdi dir="ltr"><code>${problem.code}</code> <code>${requestId}</code></bdi>
    </p>`
  return { language, title, body }
}
