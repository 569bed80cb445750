/** The athlete withdraws: the next call fails everywhere, and what was read is deleted. */
import type { HeldConsentView, HeldTokenView, SubjectLinkView } from '@comity/node/admin/consent-api'
import { openBrowser } from '../../stage/browser.ts'
import { expectRefusal } from '../../stage/calls.ts'
import { sendHandSigned, unlock } from '../../stage/keys.ts'
import { comityOf, type Participant } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { athlete, atFederation, purpose, type Cast } from '../cast.ts'
import { discharge } from './duties.ts'
import { callAbout, callOfFirm } from './reading.ts'
import { given, type Chapter, type ConsentThread } from './thread.ts'

const refusal = { status: 403, code: 'consent-inactive' }

export const withdrawing: Chapter = async ({ cast, report, thread }) => {
  report.chapter('The athlete withdraws', 'One click. The very next call fails, wherever it comes from.')
  await report.attempt('tokens kept aside', () => keepTokens(cast, thread))
  await report.attempt('withdrawn on the page', () => withdraw(cast, thread))
  const { lab, statistics } = cast
  for (const [name, party] of [['lab', lab] as const, ['statistics', statistics] as const]) {
    await report.attempt(`${name}, past its own node`, async () => {
      const token = given(thread, 'tokens')[name]
      return expectRefusal(await callWithToken(cast, party, token), refusal)
    })
  }
  await report.attempt('both are told', () => untilTold(cast, thread))
  await report.attempt("lab's next call", async () =>
    expectRefusal(await callAbout(cast, athlete, { consent: given(thread, 'consent') }), refusal),
  )
  await report.attempt("statistics' next call", async () =>
    expectRefusal(await callOfFirm(cast, thread, 'height'), refusal),
  )
  await discharge(cast, report, thread)
}

/** Tokens that have minutes to live, as a thief in both organisations would keep them. */
async function keepTokens({ lab, statistics }: Cast, thread: ConsentThread) {
  const tokenOf = (party: Participant, id: string) => comityOf<HeldTokenView>(party, 'consents', 'token', id, '--raw')
  const own = await tokenOf(lab, given(thread, 'consent'))
  const delegated = await tokenOf(statistics, given(thread, 'delegation').id)
  thread.tokens = { lab: own.token, statistics: delegated.token }
  const seconds = Math.floor((Date.parse(delegated.expires) - Date.now()) / 1_000)
  return { detail: `of the lab and of the firm, good for ${seconds} seconds more`, value: undefined }
}

/** A link to all consents of the person, as the portal has it made for somebody who is signed in there. */
async function withdraw({ federation, pagesUrl }: Cast, thread: ConsentThread) {
  const { url } = await comityOf<SubjectLinkView>(federation, 'subjects', 'link', String(athlete))
  const person = openBrowser(pagesUrl)
  const overview = await person.submit(await person.open(url), { press: 'Continue' })
  thread.person = person
  const { text } = await person.submit(overview, { press: 'Withdraw' })
  if (!text.includes('You withdrew it.')) throw new Error('the page does not say that it was withdrawn')
  return { detail: 'by the athlete, from a link that the portal asked for', value: undefined }
}

/** A well-made call, signed by the right key, with a token that was right a moment ago. */
async function callWithToken(cast: Cast, party: Participant, token: string) {
  const headers = { 'comity-purpose': purpose, authorization: `Comity ${token}` }
  const signer = (await unlock(party)).authenticationKey()
  return sendHandSigned({ signer, url: atFederation(cast, `profiles/athletes/${athlete}?fields=height`), headers })
}

async function untilTold({ lab, statistics }: Cast, thread: ConsentThread) {
  const names = [
    [lab, given(thread, 'consent')],
    [statistics, given(thread, 'delegation').id],
  ] as const
  for (const [party, id] of names) {
    await until(`${party.name} knows of the withdrawal`, async () => {
      const { state } = await comityOf<HeldConsentView>(party, 'consents', 'held', id)
      return state === 'withdrawn'
    })
  }
  return { detail: 'by signed events; to their own nodes the consent is withdrawn', value: undefined }
}
