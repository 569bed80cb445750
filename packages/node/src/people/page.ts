/** The frame that all pages of the people's listener share, and the header fields they are sent with. */
import type { Reply } from '../http/problem-response.ts'
import { html, type Html, type HtmlPart } from './html.ts'
import { directionOf, pageLanguages, type Language } from './language.ts'

export interface Page {
  readonly language: Language
  readonly title: string
  readonly body: Html
  /** Path that shows this page in another language; absent where there is none. */
  readonly path?: string | undefined
  /** With the script for passkeys. */
  readonly usesPasskeys?: boolean | undefined
}

const encoder = new TextEncoder()

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** Fields of every answer of the listener: no copies, no referrer with a link's secret in it, no framing. */
export function safetyFields(isSecure: boolean): string[] {
  const fields = [
    ['cache-control', 'no-store'],
    ['content-security-policy', policy],
    ['referrer-policy', 'no-referrer'],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['x-robots-tag', 'noindex, nofollow'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    [
      'permissions-policy',
      'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()',
    ],
    ...(isSecure ? [['strict-transport-security', 'max-age=31536000']] : []),
  ]
  return fields.flat()
}

/** A whole document. */
export function renderPage({ language, title, body, path, usesPasskeys }: Page): string {
  const { texts, tag, direction } = language
  const page = html`<!doctype html>
    <html lang="${tag}" dir="${direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <link rel="stylesheet" href="/assets/people.css" />
        ${
          usesPasskeys === true &&
          html`<script src="/assets/webauthn.js" defer></script>
            <script src="/assets/people.js" defer></script>`
        }
      </head>
      <body>
        <a class="skip" href="#content">${texts.skip}</a>
        ${path !== undefined && languageLinks(language, path)}
        <main id="content" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `
  return page.text
}

function languageLinks({ tag, texts }: Language, path: string): Html {
  const links = Object.entries(pageLanguages).map(([other, { name }]): HtmlPart => {
    const current = other === tag && html` aria-current="true"`
    return html`<li>
      <a href="${path}?lang=${other}" lang="${other}" hreflang="${other}" dir="${directionOf(other)}" ${current}
        >${name}</a
      >
    </li> `
  })
  return html`<nav aria-label="${texts.languages}">
    <ul class="languages">
      ${links}
    </ul>
  </nav>`
}

/** A page as an answer. */
export function pageReply(status: number, page: Page, headers: readonly string[] = []): Reply {
  return {
    status,
    headers: ['content-type', 'text/html; charset=utf-8', 'content-language', page.language.tag, ...headers],
    body: encoder.encode(renderPage(page)),
  }
}

/** Sends the browser to another page after a form, so that going back or loading again sends nothing twice. */
export function seeOther(path: string, headers: readonly string[] = []): Reply {
  return { status: 303, headers: ['location', path, ...headers], body: encoder.encode('') }
}
