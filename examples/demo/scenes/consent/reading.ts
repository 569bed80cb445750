/** What the athlete granted is read, and nothing else. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseReceipt } from '@comity/core/exchange/receipt'
import type { DelegationView, HeldConsentView } from '@comity/node/admin/consent-api'
import { call, expectJson, expectRefusal, type Answer } from '../../stage/calls.ts'
import { comityOf, type Participant } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { athlete, atLab, noAthlete, otherAthlete, otherPurpose, purpose, throughNodeOf, type Cast } from '../cast.ts'
import { readComposite } from './composite.ts'
import { given, type Chapter, type ConsentThread } from './thread.ts'

const delegatedDays = 7
export const asked = 'sport,height,weight,date_of_birth'

interface Profile {
  readonly sport?: string
  readonly height?: number
  readonly date_of_birth?: unknown
}

export const reading: Chapter = async ({ cast, report, thread }) => {
  report.chapter('Read, as far as it was granted', 'Same API, same nodes; each call is checked against the decision.')
  await report.attempt('the lab reads', () => labReads(cast, thread))
  await report.attempt('another purpose', async () => {
    const answer = await callAbout(cast, athlete, { purpose: otherPurpose, consent: given(thread, 'consent') })
    return expectRefusal(answer, { status: 403, code: 'consent-purpose' })
  })
  await report.attempt('an athlete without consent', () => refuseOthers(cast, thread))
  await report.attempt('three parts in one call', () => readComposite(cast, thread))
  await report.attempt('height, passed on', () => passOn(cast, thread))
  await report.attempt('the firm reads height', () => firmReads(cast, thread))
  await report.attempt('the firm asks for sport', async () =>
    expectRefusal(await callOfFirm(cast, thread, 'sport'), { status: 403, code: 'consent-scope' }),
  )
}

interface AboutCall {
  readonly consent: string
  readonly purpose?: string
}

/** A call of the lab's application, which names the person as the federation does, and the consent. */
export function callAbout(cast: Cast, reference: number, about: AboutCall): Promise<Answer> {
  const headers = { 'comity-purpose': about.purpose ?? purpose, 'comity-consent': about.consent }
  return call(atLab(cast, `profiles/athletes/${reference}?fields=${asked}`), { headers })
}

/** A call of the firm's application, which knows the person by nothing but the pairwise id. */
export function callOfFirm({ statistics }: Cast, thread: ConsentThread, fields: string): Promise<Answer> {
  const { subject } = given(thread, 'delegation')
  const url = throughNodeOf(statistics, `profiles/athletes/${subject}?fields=${fields}`)
  return call(url, { headers: { 'comity-purpose': purpose } })
}

/** Where an application keeps what it was given, until it has to delete it. */
export function studyOf({ directory }: Participant): string {
  return join(directory, 'study.json')
}

/** Notes a released answer by its receipt, and keeps it as the application would. */
async function keep(participant: Participant, answer: Answer, thread: ConsentThread): Promise<string> {
  const { jti } = parseReceipt(answer.headers.get('comity-receipt') ?? '').claims
  thread.released.push(jti)
  await writeFile(studyOf(participant), answer.body)
  return `receipt ${jti}`
}

async function labReads(cast: Cast, thread: ConsentThread) {
  const answer = await callAbout(cast, athlete, { consent: given(thread, 'consent') })
  const profile = expectJson<Profile>(answer)
  const original = expectJson<Required<Profile>>(await call(`${cast.athletesUrl}/athletes/${athlete}`))
  const year = Number(String(original.date_of_birth).slice(0, 4))
  const expected = { sport: original.sport, height: original.height, date_of_birth: year }
  if (!isDeepStrictEqual({ ...profile, date_of_birth: Number(profile.date_of_birth) }, expected)) {
    throw new Error(`the answer has ${Object.keys(profile).join(', ')}, not what was granted`)
  }
  const withheld = answer.headers.get('comity-fields-withheld')
  if (withheld !== '"weight"') throw new Error(`withheld is ${withheld ?? 'nothing'}`)
  return {
    detail: `200 ${answer.body.toString('utf8')}`,
    note: `Comity-Fields-Withheld: ${withheld}; ${await keep(cast.lab, answer, thread)}`,
    value: undefined,
  }
}

/** Somebody who did not consent, and somebody who does not exist: no caller can tell which is which. */
async function refuseOthers(cast: Cast, thread: ConsentThread) {
  const consent = given(thread, 'consent')
  const answers: [string, Answer][] = []
  for (const reference of [otherAthlete, noAthlete]) {
    answers.push([String(reference), await callAbout(cast, reference, { consent })])
  }
  const [[, one], [, other]] = answers as [[string, Answer], [string, Answer]]
  const { detail } = expectRefusal(one, { status: 403, code: 'consent-required' })
  const [told, toldOther] = [withoutRequestId(one), withoutRequestId(other)]
  if (told !== toldOther || one.status !== other.status) throw new Error('the two refusals differ')
  return {
    detail: `${detail}; ${noAthlete}, whom nobody knows, gets the same bytes but for the id of the request`,
    note: answers.map(([reference, { body }]) => `${reference}: ${body.toString('utf8')}`).join('  '),
    value: undefined,
  }
}

/** The body as it is, but for the id that each request has of its own. Throws when it has none. */
function withoutRequestId({ body }: Answer): string {
  const text = body.toString('utf8')
  const { requestId } = JSON.parse(text) as { requestId: string }
  return text.replace(requestId, '…')
}

async function passOn({ lab, statistics }: Cast, thread: ConsentThread) {
  const end = new Date(Date.now() + delegatedDays * 86_400_000).toISOString()
  const terms = ['--to', 'statistics', '--grant', 'body=height', '--until', end]
  const { id } = await comityOf<DelegationView>(lab, 'consents', 'delegate', given(thread, 'consent'), ...terms)
  const subject = await until('the firm has its part', async () => {
    const held = await comityOf<HeldConsentView[]>(statistics, 'consents', 'held', '--state', 'active')
    return held.find(({ delegation }) => delegation === id)?.subject
  })
  thread.delegation = { id, subject }
  return {
    detail: `by the lab to the firm, for ${delegatedDays} days, without asking the federation`,
    note: `the firm knows the athlete as ${subject}`,
    value: undefined,
  }
}

async function firmReads(cast: Cast, thread: ConsentThread) {
  const answer = await callOfFirm(cast, thread, 'height')
  const profile = expectJson<Profile>(answer)
  if (Object.keys(profile).join() !== 'height') throw new Error(`the answer has ${Object.keys(profile).join(', ')}`)
  return {
    detail: `200 ${answer.body.toString('utf8')}, through its own node`,
    note: await keep(cast.statistics, answer, thread),
    value: undefined,
  }
}
