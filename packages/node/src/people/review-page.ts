/** Second step of a decision: the record in plain words, its hash, and the two ways to confirm it. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { ConsentGrant, ConsentParty, ConsentRecord } from '@comity/core/consent/consent-record'
import { formNames } from './choice-form.ts'
import { aboutLine, noticeText } from './choice-page.ts'
import { fieldsHtml, grantLines, grantTitle } from './grant-words.ts'
import { bdi, html, type Html } from './html.ts'
import type { Language } from './language.ts'
import { wordsHtml, type Reader } from './names.ts'
import type { Page } from './page.ts'
import type { PersonDraft, PersonRequest } from './ports.ts'
import { say } from './say.ts'

export interface ReviewView extends Reader {
  readonly draft: PersonDraft
  readonly request: Pick<PersonRequest, 'title'>
  /** What was asked and is not given. */
  readonly notGiven: readonly ConsentGrant[]
  readonly form: string
  readonly hasPasskeys: boolean
  /** The choice is another than the one that was confirmed. */
  readonly isChanged?: boolean
}

export function reviewPage(view: ReviewView): Page {
  const { language, draft, form } = view
  const { texts } = language
  const body = html`${view.isChanged === true && html`<p class="errors" role="alert">${texts.changedMeanwhile}</p>`}
    <p class="lead">${texts.reviewIntro}</p>
    ${aboutLine(view.request, view)} ${recordWords(draft.record, view)} ${notGivenSection(view)}
    <p>${texts.endable}</p>
    <h2>${texts.hashLabel}</h2>
    <p>
      <bdi dir="ltr"><code class="hash">${draft.hash}</code></bdi>
    </p>
    <details>
      <summary>${texts.recordDetails}</summary>
      <div class="scroll" role="region" aria-label="${texts.recordDetails}" tabindex="0">
        <pre dir="ltr">${indented(draft.record)}</pre>
      </div>
    </details>
    <form method="post" action="/c/confirm" id="confirm">
      <input type="hidden" name="${formNames.token}" value="${form}" />
      <input type="hidden" name="hash" value="${draft.hash}" />
      <input type="hidden" name="assertion" value="" />
      ${view.hasPasskeys && passkeyPart(language)}
      <div class="actions">
        <button type="submit">${texts.confirmButton}</button>
        <a class="button" href="/c">${texts.changeLink}</a>
      </div>
    </form>`
  return { language, title: texts.reviewTitle, body, path: '/c/review', usesPasskeys: view.hasPasskeys }
}

/** Shown by the script where the browser knows passkeys; without it there is the other button. */
function passkeyPart({ texts }: Language): Html {
  return html`<div id="passkey" hidden>
    <p>${texts.passkeyHint}</p>
    <p role="alert" id="passkey-failed" hidden>${texts.passkeyFailed}</p>
    <button type="button" id="passkey-button">${texts.passkeyButton}</button>
  </div>`
}

/** A record in plain words: who, what, for how long, under which notice. */
export function recordWords(record: ConsentRecord, reader: Reader): Html {
  const { language } = reader
  const { texts, moment } = language
  const given = record.grants.filter(({ effect }) => effect === 'permit')
  const denied = record.grants.filter(({ effect }) => effect === 'deny')
  const { notBefore, expires } = record.validity
  const times = { from: moment(Date.parse(notBefore)), until: moment(Date.parse(expires)) }
  const { capacity, id } = record.grantor
  return html`<section aria-labelledby="parties-heading">
      <h2 id="parties-heading">${texts.reviewParties}</h2>
      <ul>
        ${record.parties.map((party) => partyItem(party, language))}
      </ul>
      ${capacity !== 'self' && html`<p>${texts.capacity[capacity]}: ${bdi(id)}</p>`}
    </section>
    <section aria-labelledby="given-heading">
      <h2 id="given-heading">${texts.reviewGiven}</h2>
      ${given.map((grant) => grantWords(grant, reader))}
    </section>
    ${denied.length > 0 && deniedSection(denied, reader)}
    <section aria-labelledby="time-heading">
      <h2 id="time-heading">${texts.reviewTime}</h2>
      <p>${say(texts.fromUntil, times)}</p>
    </section>
    ${noticeText(record.notice.lang, record.notice.text)}`
}

function deniedSection(denied: readonly ConsentGrant[], reader: Reader): Html {
  return html`<section aria-labelledby="denied-heading">
    <h2 id="denied-heading">${reader.language.texts.deniedHeading}</h2>
    ${denied.map((grant) => grantWords(grant, reader))}
  </section>`
}

function grantWords(grant: ConsentGrant, reader: Reader): Html {
  const { texts } = reader.language
  const include = grant.effect === 'permit' ? (grant.fields?.include ?? []) : []
  return html`<div class="grant">
    <h3>${wordsHtml(grantTitle(grant, reader))}</h3>
    ${include.length > 0 && html`<p>${texts.fieldsLegend}: <strong>${fieldsHtml(include, reader, grant.products)}</strong></p>`}
    ${grantLines(grant, reader)}
  </div>`
}

function partyItem({ role, name, id, country }: ConsentParty, { texts, country: countryName }: Language): Html {
  const place = country !== undefined && html` (${countryName(country)})`
  const what = role === 'holder' || role === 'recipient' ? texts[role] : role
  return html`<li>
    <strong>${bdi(name)}</strong>${place}: ${what}. <bdi dir="ltr"><code>${id}</code></bdi>
  </li>`
}

function notGivenSection(view: ReviewView): Html | undefined {
  const { notGiven, language } = view
  if (notGiven.length === 0) return undefined
  return html`<section aria-labelledby="not-given-heading">
    <h2 id="not-given-heading">${language.texts.reviewNotGiven}</h2>
    <ul>
      ${notGiven.map((grant) => html`<li>${wordsHtml(grantTitle(grant, view))}</li>`)}
    </ul>
  </section>`
}

/** What is hashed, in the order in which it is hashed, with line ends for the eye. */
function indented(record: ConsentRecord): string {
  const { proofs: _, ...hashed } = record
  return JSON.stringify(JSON.parse(canonicalJson(hashed)), undefined, 2)
}
