/** Second scene: the lab's applications read the federation's data through the two nodes. */
import { isDeepStrictEqual } from 'node:util'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { call, expectJson, type Answer } from '../stage/calls.ts'
import { atFederation, atLab, athlete, purpose, type Cast, type Scene } from './cast.ts'

interface Athlete {
  readonly id: number
  readonly sport: string
  readonly nationality: string
}

const headers = { 'comity-purpose': purpose }

export const exchanges: Scene = async (cast, report) => {
  report.chapter('The lab reads', 'Its applications call their own node over plain HTTP; the two nodes do the rest.')
  await report.attempt('a list of athletes', () => readList(cast))
  await report.attempt('one athlete', () => readOne(cast))
  await report.attempt('a public product, anonymously', () => readPublic(cast))
  await report.attempt('the same through the lab', () => readPublicThroughLab(cast))
  let first: Answer | undefined
  await report.attempt('an observation handed in', async () => tellFirst((first = await handIn(cast))))
  await report.attempt('the same once more', () => repeat(cast, first))
}

/** The exchange as its receipt names it. */
function receiptOf({ headers: fields }: Answer): string {
  const { claims } = parseReceipt(fields.get('comity-receipt') ?? '')
  return `receipt ${claims.jti}`
}

async function readList(cast: Cast) {
  const url = atLab(cast, 'athletes/athletes?sport=fencing&nationality=ITA&_sort=height&_order=desc&_limit=3')
  const answer = await call(url, { headers })
  const athletes = expectJson<Athlete[]>(answer)
  const isAsAsked = athletes.every(({ sport, nationality }) => sport === 'fencing' && nationality === 'ITA')
  if (athletes.length !== 3 || !isAsAsked) throw new Error('the list is not what was asked for')
  const ids = athletes.map(({ id }) => id).join(', ')
  return { detail: `200, Italy's tallest fencers: ${ids}`, note: receiptOf(answer), value: undefined }
}

async function readOne(cast: Cast) {
  const answer = await call(atLab(cast, `athletes/athletes/${athlete}`), { headers })
  const received = expectJson<Athlete>(answer)
  const original = expectJson<Athlete>(await call(`${cast.athletesUrl}/athletes/${athlete}`))
  if (!isDeepStrictEqual(received, original)) throw new Error('the athlete is not as in the federation’s API')
  return { detail: `200, athlete ${received.id}, ${received.sport}`, note: receiptOf(answer), value: undefined }
}

const publicPath = 'electricity/generation?year=2017&source=Renewables'

function generationOf(answer: Answer): string {
  const [row] = expectJson<{ net_generation: number }[]>(answer)
  if (row === undefined) throw new Error('no row came back')
  return `${row.net_generation.toLocaleString('en')} GWh of renewables in 2017`
}

async function readPublic(cast: Cast) {
  const { fingerprint } = cast.federation
  const answer = await call(atFederation(cast, publicPath), { fingerprint })
  return { detail: `200, ${generationOf(answer)}; no key, no agreement`, value: undefined }
}

async function readPublicThroughLab(cast: Cast) {
  const answer = await call(atLab(cast, publicPath))
  return { detail: `200, ${generationOf(answer)}; signed, with a receipt`, note: receiptOf(answer), value: undefined }
}

/** An unsafe call: done once, however often it is sent with the same key. */
function handIn(cast: Cast): Promise<Answer> {
  const body = JSON.stringify({ athlete, kind: 'resting_heart_rate', value: 52, observed_at: '2016-08-05T12:00:00Z' })
  const fields = { ...headers, 'content-type': 'application/json', 'idempotency-key': '"demo-observation-1"' }
  return call(atLab(cast, 'athletes/observations'), { method: 'POST', headers: fields, body })
}

function tellFirst(first: Answer) {
  const { id } = expectJson<{ id: number }>(first, 201)
  return { detail: `201, observation ${id} of athlete ${athlete}`, note: receiptOf(first), value: undefined }
}

async function repeat(cast: Cast, first: Answer | undefined) {
  if (first === undefined) throw new Error('there was no first answer')
  const again = await handIn(cast)
  const isSame = isDeepStrictEqual(expectJson(again, 201), expectJson(first, 201))
  const kept = expectJson<unknown[]>(await call(`${cast.athletesUrl}/observations`))
  if (!isSame || !again.headers.has('idempotency-replayed')) throw new Error('the answer is not that of the first call')
  if (kept.length !== 1) throw new Error(`the federation’s API has ${kept.length} observations`)
  return { detail: '201, the same answer; the API was called once', note: receiptOf(again), value: undefined }
}
