/** One person being asked: by the lab's node, through the federation's portal, on the federation's page. */
import type { HeldConsentView } from '@comity/node/admin/consent-api'
import { openBrowser, type Page } from '../../stage/browser.ts'
import { comityOf } from '../../stage/participant.ts'
import type { Cast } from '../cast.ts'
import { templateId } from './template.ts'

/** The lab asks; gives the id of request and consent. */
export async function askFor({ lab }: Cast, reference: number): Promise<string> {
  const whom = ['--partner', 'federation', '--reference', String(reference)]
  const asked = await comityOf<HeldConsentView>(lab, 'consents', 'request', ...whom, '--template', templateId)
  if (asked.state !== 'requested') throw new Error(`the request is ${asked.state}`)
  return asked.id
}

/** What the portal was told about a request, for the member whom it is about. */
export interface Invitation {
  readonly reference: string
  readonly link: string
}

/** Waits until the portal has the link, under the node's signature. */
export async function invitationOf({ portal }: Cast, consent: string): Promise<Invitation> {
  const { reference, link } = (await portal.notice('consent.requested', consent)).data
  if (typeof reference !== 'string' || typeof link !== 'string') throw new Error('the portal was told no link')
  return { reference, link }
}

/** Words on the boxes that are ticked, and for how long. */
export const choice = {
  tick: [
    'I allow: Your sport',
    'Sport sport',
    'I allow: Your body',
    'Height height',
    'I allow: Your year of birth',
    'Date of birth date_of_birth',
  ],
  choose: { time: 'P30D' },
} as const

/** The decision from link to confirmation. Gives the pages as they were shown. */
export async function decideOnPage({ pagesUrl }: Cast, link: string): Promise<{ review: Page; done: Page }> {
  const browser = openBrowser(pagesUrl)
  const review = await browser.submit(await browser.open(link), { ...choice, press: 'Allow what is ticked' })
  const done = await browser.submit(review, { press: 'Confirm' })
  if (!done.text.includes('You allowed it.')) throw new Error('the page does not say that it was allowed')
  return { review, done }
}
