/** The lab asks, the athlete decides. */
import { join } from 'node:path'
import type { ConsentDetailsView, HeldConsentView } from '@comity/node/admin/consent-api'
import { openBrowser } from '../../stage/browser.ts'
import { comity, comityOf } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { askFor, decideOnPage, invitationOf } from './asked.ts'
import { athlete, withDocuments, type Cast } from '../cast.ts'
import { given, type Chapter, type ConsentThread } from './thread.ts'
import { signTemplate } from './template.ts'

export const asking: Chapter = async ({ cast, report, thread }) => {
  report.chapter(
    'A person is asked',
    'The lab asks for four fields of one athlete. Nothing is read before the athlete has decided.',
  )
  await report.attempt('a template', () => signTemplate(cast))
  await report.attempt('the lab asks', async () => {
    thread.consent = await askFor(cast, athlete)
    return { detail: `for athlete ${athlete}: requested`, note: thread.consent, value: undefined }
  })
  await report.attempt('the portal is told', () => tellPortal(cast, thread))
  await report.attempt('the page', () => lookAtPage(cast, thread))
  await report.attempt('the decision', () => decide(cast, thread))
  await report.attempt('the record', () => verifyRecord(cast, thread))
}

async function tellPortal(cast: Cast, thread: ConsentThread) {
  const { reference, link } = await invitationOf(cast, given(thread, 'consent'))
  if (reference !== String(athlete) || !link.startsWith(`${cast.pagesUrl}/c/`)) throw new Error('of somebody else')
  thread.link = link
  return {
    detail: `the federation’s own, by a signed webhook; it brings athlete ${reference} a link`,
    note: 'which works once, on a page of the federation’s node',
    value: undefined,
  }
}

async function lookAtPage({ pagesUrl, lab, federation }: Cast, thread: ConsentThread) {
  const { boxes, ticked, text } = await openBrowser(pagesUrl).open(given(thread, 'link'))
  if (boxes === 0 || ticked > 0) throw new Error(`${ticked} of ${boxes} boxes are ticked beforehand`)
  const country = new Intl.DisplayNames('en', { type: 'region' }).of(lab.country)
  const sentence = `${lab.title} (${country}) asks ${federation.title} for data about you.`
  if (!text.includes(sentence)) throw new Error('the page does not say who asks')
  return { detail: `“${sentence}” ${boxes} boxes, none ticked; no JavaScript`, value: undefined }
}

async function decide(cast: Cast, thread: ConsentThread) {
  const consent = given(thread, 'consent')
  const { review } = await decideOnPage(cast, given(thread, 'link'))
  const { state, hash = '', records } = await comityOf<ConsentDetailsView>(cast.federation, 'consents', 'show', consent)
  const [record] = records
  const fields = (record?.grants ?? []).flatMap(({ fields: each }) => each?.include ?? [])
  if (state !== 'active' || fields.toSorted().join(' ') !== 'date_of_birth height sport') {
    throw new Error(`the consent is ${state}, with ${fields.join(', ')}`)
  }
  if (daysOf(record?.validity) !== 30) throw new Error('the consent is not for 30 days')
  if (!review.text.includes(hash)) throw new Error('the page showed another hash')
  return {
    detail: 'sport, height and year of birth; not weight; 30 days instead of a year',
    note: `the hash of the record stood on the page: ${hash}`,
    value: undefined,
  }
}

function daysOf(validity: { readonly notBefore: string; readonly expires: string } | undefined): number {
  if (validity === undefined) return 0
  return Math.round((Date.parse(validity.expires) - Date.parse(validity.notBefore)) / 86_400_000)
}

/** The lab has the same record, and a stranger can verify it from a file. */
async function verifyRecord({ federation, lab, root }: Cast, thread: ConsentThread) {
  const consent = given(thread, 'consent')
  const { hash } = await until('the lab has the consent', async () => {
    const held = await comityOf<HeldConsentView>(lab, 'consents', 'held', consent)
    return held.state === 'active' && held.record !== undefined && held
  })
  const file = join(root, 'consent.json')
  await comityOf(federation, 'consents', 'export', consent, '--as', 'json', '--out', file)
  const options = withDocuments([federation])
  const { checks, ...verified } = await comity<{ checks: string[]; id: string }>('verify', 'consent', file, ...options)
  const isSame = verified.id === consent && checks.some((check) => check.includes(hash ?? '?'))
  if (!isSame) throw new Error('the lab has another record')
  return {
    detail: `both nodes have the same; verified offline: ${checks.length} checks`,
    note: checks.at(-1) ?? '',
    value: undefined,
  }
}
